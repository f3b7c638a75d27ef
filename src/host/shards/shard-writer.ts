import { bodyTagBytes, openBodyTag, type ShardWriter, storageError } from '#storage'
import { brokenReason, type Connection, openAnswerFront } from './shard-connection.ts'
import type { ShardPool } from './shard-pool.ts'
import { refusal } from './shard-replies.ts'

type Shard = { provider: string; name: string; length: number }

/** Signs the head of a PUT. */
export type SignedPut = (target: string, length: number) => { head: string; nonce: string }

/** A provider syncs before it answers; one that is silent for longer has stalled. */
const silentMs = 30_000
/** A first piece so short is kept back for what follows it in the same turn of the loop: one call of the system less. */
const shortBytes = 1024

/**
 * Sends one shard by one PUT, as its bytes come, and behind them the tag that binds them to the request. Head, a short shard
 * and its tag go out together, when `finish` is called without waiting for the last `write`.
 * @param told hears once how it ended, with the reason when it failed
 */
export function openShardWriter(
  pool: ShardPool,
  sign: SignedPut,
  { provider, name, length }: Shard,
  keys: { shared: Uint8Array },
  signal: AbortSignal,
  told: (error: unknown) => void = () => {},
): ShardWriter {
  let line: Connection | undefined
  let tag: ReturnType<typeof openBodyTag> | undefined
  let over = false
  let ended = false
  let tagged = false
  let written = 0
  let settle: { resolve(): void; reject(error: unknown): void }
  const outcome = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject }
  })
  const failed = outcome.then(() => new Promise<never>(() => {}))
  failed.catch(() => 'it is thrown where it is waited for')

  const leave = () => {
    over = true
    signal.removeEventListener('abort', aborted)
  }
  const fail = (error: unknown): undefined => {
    if (over) return
    leave()
    line?.end()
    told(error ?? new Error('aborted'))
    settle.reject(error)
  }
  const aborted = () => fail(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
  const uncertain = (reason: string, error?: Error) => storageError('shard.uncertain', { provider, reason }, error)
  /** Without the tag at its end no provider stores a shard. */
  const broke = (reason: string, error?: Error) => {
    if (tagged && line?.connected()) return uncertain(reason, error)
    return storageError('shard.unreachable', { provider, reason }, error)
  }

  const begin = (connection: Connection) => {
    if (over) return pool.give(connection)
    line = connection
    const front = openAnswerFront(connection.front)
    const listener = {
      take(_: boolean, came: number) {
        const answer = front.grown(came)
        if (answer === 'more') return front.room()
        if (answer === 'none') return fail(broke('its answer is no HTTP'))
        const more = (answer.length ?? 0) - front.body().length
        if (more > front.room().length) return fail(uncertain('its answer is too long'))
        if (more > 0) return front.room()
        if (answer.status !== 201) return fail(refusal(provider, answer.status, front.body().toString(), true))
        if (!tagged) return fail(uncertain('it answered before it had everything'))
        leave()
        if (answer.keep && more === 0) pool.give(connection)
        else connection.end()
        told(undefined)
        settle.resolve()
        return undefined
      },
      broken(error: NodeJS.ErrnoException | undefined) {
        fail(broke(brokenReason(error), error))
      },
    }
    connection.begin(listener, silentMs)
    const { head, nonce } = sign(`/v1/shards/${name}`, length + bodyTagBytes)
    tag = openBodyTag(keys.shared, nonce)
    connection.send(head)
  }
  if (signal.aborted) aborted()
  else signal.addEventListener('abort', aborted, { once: true })
  const opened = pool.take(signal).then(begin, fail)

  return {
    async write(bytes) {
      if (ended || written + bytes.length > length) {
        fail(new Error('more was written than was announced'))
        throw storageError('body.long', { size: length })
      }
      const first = written === 0
      written += bytes.length
      if (!line) await opened
      if (over || !line || !tag) return failed
      tag.update(bytes)
      if (first && bytes.length <= shortBytes && bytes.length < length) return line.send(new Uint8Array(bytes))
      const sent = new Promise<void>((resolve) => line?.send(bytes, resolve))
      await Promise.race([sent, failed])
    },
    async finish() {
      if (written !== length) {
        fail(new Error('less was written than was announced'))
        throw storageError('body.short', { got: written, size: length })
      }
      ended = true
      if (!line) await opened
      if (!over && line && tag) {
        tagged = true
        line.send(tag.digest())
      }
      await outcome
    },
    abort: () => fail(new Error('it was given up')),
  }
}
