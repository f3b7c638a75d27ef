import { connect, type Socket } from 'node:net'
import type { Clock } from '#kernel'
import { storageError } from '#storage'
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

type Config = { provider: string; hostname: string; port: number; socketsMost: number; idleMs: number }

/** A connection that is not made within this, or that carries nothing for as long as that, is given up. */
const connectMs = 5000
const silentMs = 30_000
/** The head of an answer and, where it was refused, the reason. */
const headMost = 16 * 1024
const endOfHead = Buffer.from('\r\n\r\n')

/**
 * Plain HTTP/1.1 over connections that are kept, without the HTTP client of Node: that one hands bodies over in chunks of
 * fresh memory, and copying them took a third of a gateway's time under long reads. Here the kernel writes where they belong.
 */
export function openShardReader(ports: { clock: Clock }, config: Config): ShardReader {
  const idle: Connection[] = []
  const waiting: (() => void)[] = []
  let open = 0
  let closed = false

  const drop = (connection: Connection) => {
    const at = idle.indexOf(connection)
    if (at !== -1) idle.splice(at, 1)
    open--
    waiting.shift()?.()
  }
  /** The connection that rested shortest, a new one, or the next one that somebody gives back. */
  const take = async (signal: AbortSignal): Promise<Connection> => {
    while (true) {
      signal.throwIfAborted()
      if (closed) throw storageError('shard.unreachable', { provider: config.provider, reason: 'the gateway stops' })
      const rested = idle.pop()
      if (rested) return rested
      if (open < config.socketsMost) {
        open++
        return openConnection(ports.clock, config, drop)
      }
      await turn(waiting, signal)
    }
  }
  return {
    async read(head, into, signal) {
      for (let attempt = 0; attempt <= config.socketsMost; attempt++) {
        const connection = await take(signal)
        const outcome = await connection.ask(head(), into, signal)
        if (outcome === 'kept') {
          idle.push(connection)
          waiting.shift()?.()
        }
        if (outcome !== 'stale') return
      }
      throw storageError('shard.unreachable', { provider: config.provider, reason: 'it hangs up at once' })
    },
    close() {
      closed = true
      for (const connection of [...idle]) connection.end()
      for (const wake of waiting.splice(0)) wake()
    },
  }
}

/** Resolves when it is this one's turn, or when the signal is aborted. */
function turn(waiting: (() => void)[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      signal.removeEventListener('abort', leave)
      resolve()
    }
    const leave = () => {
      waiting.splice(waiting.indexOf(wake), 1)
      resolve()
    }
    waiting.push(wake)
    signal.addEventListener('abort', leave, { once: true })
  })
}

/** `kept`: it can be used again; `stale`: the provider had closed it while it rested, and has seen nothing. */
type Outcome = 'kept' | 'ended' | 'stale'

type Connection = {
  /** @throws what the provider refuses or breaks, or the signal's reason; the connection is then gone */
  ask(head: string, into: Uint8Array, signal: AbortSignal): Promise<Outcome>
  end(): void
}

/** One request at a time. @param gone called once, when it is closed for whatever reason */
function openConnection(clock: Clock, config: Config, gone: (connection: Connection) => void): Connection {
  const { provider, hostname, port, idleMs } = config
  const front = Buffer.allocUnsafeSlow(headMost)
  let request: Request | undefined
  let used = false
  let next: Uint8Array = front
  const socket: Socket = connect({
    host: hostname,
    port,
    noDelay: true,
    onread: {
      buffer: () => next,
      callback(length, buffer) {
        if (!request) socket.destroy(new Error('it spoke without being asked'))
        else next = request.take(buffer.buffer === front.buffer, length) ?? front
        return true
      },
    },
  })
  const cancel = clock.after(connectMs, () => socket.destroy(new Error('the connection was not made in time')))
  socket.once('connect', cancel)
  socket.on('timeout', () => socket.destroy(new Error('it was silent for too long')))
  socket.on('end', () => socket.destroy())
  let broken: NodeJS.ErrnoException | undefined
  socket.on('error', (error) => {
    broken = error
  })
  socket.once('close', () => {
    cancel()
    request?.fail(broken)
    gone(connection)
  })

  const connection: Connection = {
    end: () => socket.destroy(),
    ask(head, into, signal) {
      return new Promise((resolve, reject) => {
        const reused = used
        used = true
        const leave = () => {
          signal.removeEventListener('abort', aborted)
          request = undefined
        }
        const refuse = (error: unknown): undefined => {
          leave()
          socket.destroy()
          reject(error)
        }
        const aborted = () => refuse(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
        if (signal.aborted) return aborted()
        signal.addEventListener('abort', aborted, { once: true })
        request = openRequest(provider, front, into, {
          done(keep) {
            leave()
            socket.setTimeout(idleMs)
            if (!keep) socket.destroy()
            resolve(keep ? 'kept' : 'ended')
          },
          refuse,
          fail(error, heard) {
            leave()
            if (reused && !heard) return resolve('stale')
            const reason = error?.code === 'ECONNREFUSED' ? 'nothing listens there' : (error?.message ?? 'it broke off')
            reject(storageError('shard.unreachable', { provider, reason }, error))
          },
        })
        socket.setTimeout(silentMs)
        socket.write(head, 'latin1')
      })
    },
  }
  return connection
}

type Request = {
  /** The kernel wrote `length` more bytes. @returns where it is to write the next ones; undefined: to the front again */
  take(atFront: boolean, length: number): Uint8Array | undefined
  /** The connection is gone. */
  fail(error: NodeJS.ErrnoException | undefined): void
}

type Answered = {
  done(keep: boolean): undefined
  refuse(error: unknown): undefined
  fail(error: NodeJS.ErrnoException | undefined, heard: boolean): void
}

/** Understands one answer: its head and what came with it lie at the front, the rest goes where it belongs. */
function openRequest(provider: string, front: Buffer, into: Uint8Array, answered: Answered): Request {
  const odd = (reason: string): undefined => answered.refuse(storageError('shard.unreachable', { provider, reason }))
  let inFront = 0
  let head: AnswerHead | undefined
  let got = 0

  /** What is refused says why, in a body that is short enough for the front. */
  const reason = (length: number, from: number): Uint8Array | undefined => {
    const end = from + length
    if (end > front.length) return odd('its answer is too long')
    if (inFront < end) return front.subarray(inFront)
    answered.refuse(refusal(provider, head?.status ?? 0, front.subarray(from, end).toString()))
    return undefined
  }
  let bodyAt = 0
  return {
    take(atFront, length) {
      if (!atFront) {
        got += length
        if (got < into.length) return into.subarray(got)
        return answered.done(head?.keep ?? false)
      }
      inFront += length
      if (!head) {
        const end = front.subarray(0, inFront).indexOf(endOfHead)
        if (end === -1 && inFront < front.length) return front.subarray(inFront)
        head = end === -1 ? undefined : headOf(front.toString('latin1', 0, end))
        if (!head) return odd('its answer is no HTTP')
        bodyAt = end + endOfHead.length
      }
      if (head.status !== 200) return reason(head.length ?? 0, bodyAt)
      got = inFront - bodyAt
      if (head.length !== into.length || got > into.length) {
        return answered.refuse(storageError('shard.corrupt', { provider }))
      }
      into.set(front.subarray(bodyAt, inFront))
      if (got < into.length) return into.subarray(got)
      return answered.done(head.keep)
    },
    fail: (error) => answered.fail(error, inFront > 0),
  }
}

type AnswerHead = { status: number; length: number | undefined; keep: boolean }

/** RFC 9112, of which a provider needs little: a status, a length, and whether the connection stays. */
function headOf(text: string): AnswerHead | undefined {
  const [first = '', ...lines] = text.split('\r\n')
  const status = /^HTTP\/1\.1 (\d{3})(?: |$)/.exec(first)?.[1]
  if (status === undefined) return undefined
  let length: number | undefined
  let keep = true
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (name === 'transfer-encoding') return undefined
    if (name === 'content-length') {
      if (length !== undefined || !/^\d{1,15}$/.test(value)) return undefined
      length = Number(value)
    }
    if (name === 'connection' && value.toLowerCase() === 'close') keep = false
  }
  return { status: Number(status), length, keep }
}
