import { connect, type OnReadOpts, type Socket } from 'node:net'
import type { Clock } from '#kernel'
import { linkReason, type TlsLink } from '../tls/tls-link.ts'

/** Who uses a connection now: hears what comes, and that it broke. */
export type Listener = {
  /**
   * The system wrote `length` more bytes.
   * @param atFront whether they came to the front, else where the listener wanted them
   * @returns where it is to write the next ones; undefined: to the beginning of the front
   */
  take(atFront: boolean, length: number): Uint8Array | undefined
  broken(error: NodeJS.ErrnoException | undefined): void
}

/** One connection to a provider, for one request after the other. */
export type Connection = {
  /** Where answers begin. */
  readonly front: Buffer
  /** It was used before, so the provider may have closed it just when it was used again. */
  reused(): boolean
  connected(): boolean
  /** Gives it to somebody. It breaks when nothing moves for `silentMs`. */
  begin(listener: Listener, silentMs: number): void
  /** Sends what it is given in one turn of the loop by one call of the system. `sent` when the system has taken it. */
  send(bytes: Uint8Array | string, sent?: () => void): void
  /** Whoever has it needs it no more. */
  rest(): void
  end(): void
}

export type ConnectionConfig = {
  hostname: string
  port: number
  idleMs: number
  /** By TLS; plain without. */
  link?: TlsLink | undefined
}

/** A connection that is not made within this, its handshake included, is given up. */
const connectMs = 5000
/** The head of an answer and, where it was refused, the reason. */
const headMost = 16 * 1024

/** @param gone called once, when it is closed for whatever reason */
export function openConnection(
  clock: Clock,
  { hostname, port, idleMs, link }: ConnectionConfig,
  gone: (connection: Connection) => void,
): Connection {
  const front = Buffer.allocUnsafeSlow(headMost)
  let listener: Listener | undefined
  let uses = 0
  let connected = false
  let next: Uint8Array = front
  const onread: OnReadOpts = {
    buffer: () => next,
    callback(length, buffer) {
      if (!listener) socket.destroy(new Error('it spoke without being asked'))
      // TLS may still open what came behind something that ended the connection: it has its place at the front.
      next = listener?.take(buffer.buffer === front.buffer, length) ?? front
      return true
    },
  }
  const to = { host: hostname, port, onread }
  const socket: Socket = link ? link.connect(to) : connect({ ...to, noDelay: true })
  const cancel = clock.after(connectMs, () => socket.destroy(new Error('the connection was not made in time')))
  socket.once(link ? 'secureConnect' : 'connect', () => {
    connected = true
    cancel()
  })
  socket.on('timeout', () => {
    // This process may have been too busy to read what has come.
    const { bytesRead } = socket
    setImmediate(() => {
      if (socket.bytesRead === bytesRead) socket.destroy(new Error('it was silent for too long'))
    })
  })
  socket.on('end', () => socket.destroy())
  let broken: NodeJS.ErrnoException | undefined
  socket.on('error', (error) => {
    broken = error
  })
  socket.once('close', () => {
    cancel()
    const last = listener
    listener = undefined
    last?.broken(broken)
    gone(connection)
  })
  const uncork = () => socket.uncork()

  const connection: Connection = {
    front,
    reused: () => uses > 1,
    connected: () => connected,
    begin(by, silentMs) {
      uses++
      listener = by
      next = front
      socket.setTimeout(silentMs)
    },
    send(bytes, sent) {
      if (socket.writableCorked === 0) {
        socket.cork()
        process.nextTick(uncork)
      }
      const taken = (error?: Error | null) => {
        if (!error) sent?.()
      }
      if (typeof bytes === 'string') socket.write(bytes, 'latin1', taken)
      else socket.write(bytes, taken)
    },
    rest() {
      listener = undefined
      socket.setTimeout(idleMs)
    },
    end() {
      listener = undefined
      socket.destroy()
    },
  }
  return connection
}

export type AnswerHead = { status: number; length: number | undefined; keep: boolean }

/** The beginning of an answer, as it gathers at the front of a connection. */
export type AnswerFront = {
  /** So many bytes more. @returns the head once it is whole, `more` before, `none` when it is no head */
  grown(length: number): AnswerHead | 'more' | 'none'
  /** Where the next bytes go; empty when there is no room. */
  room(): Uint8Array
  /** What has come behind the head. */
  body(): Buffer
  heard(): boolean
}

const endOfHead = Buffer.from('\r\n\r\n')

export function openAnswerFront(front: Buffer): AnswerFront {
  let filled = 0
  let bodyAt = 0
  let head: AnswerHead | undefined
  return {
    grown(length) {
      filled += length
      if (head) return head
      const end = front.subarray(0, filled).indexOf(endOfHead)
      if (end === -1) return filled < front.length ? 'more' : 'none'
      bodyAt = end + endOfHead.length
      head = headOf(front.toString('latin1', 0, end))
      return head ?? 'none'
    },
    room: () => front.subarray(filled),
    body: () => front.subarray(bodyAt, filled),
    heard: () => filled > 0,
  }
}

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

/** What breaks a connection, in words. */
export function brokenReason(error: NodeJS.ErrnoException | undefined): string {
  if (!error) return 'it broke off'
  return error.code === 'ECONNREFUSED' ? 'nothing listens there' : linkReason(error)
}
