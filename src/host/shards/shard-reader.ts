import type { Clock } from '#kernel'
import { storageError } from '#storage'
import { brokenReason, type Connection, openAnswerFront } from './shard-connection.ts'
import { openShardPool, type PoolConfig } from './shard-pool.ts'
import { refusal } from './shard-replies.ts'

/** Reads from one provider, each straight into memory of the caller. */
export type ShardReader = {
  /**
   * Sends the head of a GET and fills `into` with the answer, which is exactly as long.
   * @param head makes the head anew for each try, because each is signed for itself
   */
  read(head: () => string, into: Uint8Array, signal: AbortSignal): Promise<void>
  close(): void
}

/** An answer of which nothing comes for so long has stalled; its shard is had from others. */
const stalledMs = 5000

/**
 * Plain HTTP/1.1 over connections that are kept, without the HTTP client of Node: that one hands bodies over in chunks of
 * fresh memory, and copying them took a third of a gateway's time under long reads. Here the kernel writes where they belong.
 * @param config.silentMs an answer of which nothing comes for so long breaks off; five seconds if not given
 */
export function openShardReader(ports: { clock: Clock }, config: PoolConfig & { silentMs?: number }): ShardReader {
  const silentMs = config.silentMs ?? stalledMs
  const pool = openShardPool(ports.clock, config)
  return {
    async read(head, into, signal) {
      for (let attempt = 0; attempt <= config.socketsMost; attempt++) {
        const connection = await pool.take(signal)
        const outcome = await ask(config.provider, connection, { head: head(), into, silentMs }, signal)
        if (outcome === 'kept') pool.give(connection)
        if (outcome !== 'stale') return
      }
      throw storageError('shard.unreachable', { provider: config.provider, reason: 'it hangs up at once' })
    },
    close: pool.close,
  }
}

/** `kept`: the connection can be used again; `stale`: the provider had closed it while it rested, and has seen nothing. */
type Outcome = 'kept' | 'ended' | 'stale'

/** @throws what the provider refuses or breaks, or the signal's reason; the connection is then gone */
function ask(
  provider: string,
  connection: Connection,
  { head, into, silentMs }: { head: string; into: Uint8Array; silentMs: number },
  signal: AbortSignal,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const leave = () => signal.removeEventListener('abort', aborted)
    const refuse = (error: unknown): undefined => {
      leave()
      connection.end()
      reject(error)
    }
    const done = (keep: boolean): undefined => {
      leave()
      if (keep) connection.rest()
      else connection.end()
      resolve(keep ? 'kept' : 'ended')
    }
    const odd = (reason: string) => refuse(storageError('shard.unreachable', { provider, reason }))
    const aborted = () => refuse(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    if (signal.aborted) return aborted()
    signal.addEventListener('abort', aborted, { once: true })

    const front = openAnswerFront(connection.front)
    let keep = false
    let got = 0
    const gotMore = (): Uint8Array | undefined => (got < into.length ? into.subarray(got) : done(keep))
    connection.begin(
      {
        take(atFront, length) {
          if (!atFront) {
            got += length
            return gotMore()
          }
          const answer = front.grown(length)
          if (answer === 'more') return front.room()
          if (answer === 'none') return odd('its answer is no HTTP')
          const body = front.body()
          if (answer.status !== 200) {
            // What is refused says why, in a body that is short enough for the front.
            const more = (answer.length ?? 0) - body.length
            if (more > front.room().length) return odd('its answer is too long')
            if (more > 0) return front.room()
            return refuse(refusal(provider, answer.status, body.toString()))
          }
          if (answer.length !== into.length || body.length > into.length) {
            return refuse(storageError('shard.corrupt', { provider }))
          }
          keep = answer.keep
          got = body.length
          into.set(body)
          return gotMore()
        },
        broken(error) {
          leave()
          if (connection.reused() && !front.heard()) return resolve('stale')
          reject(storageError('shard.unreachable', { provider, reason: brokenReason(error) }, error))
        },
      },
      silentMs,
    )
    connection.send(head)
  })
}
