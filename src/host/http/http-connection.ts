import type { Socket } from 'node:net'
import type { Clock } from '#kernel'
import { type Headers, headText, joinedMost, together, writeJoined, writeLate } from './http-answer.ts'
import { parseRequestHead, type RequestHead } from './http-head.ts'
import { openSocket } from './http-socket.ts'
import type { Peer } from '../tls/tls-edge.ts'

/** One request of a connection, and the answer to it. */
export type Exchange = RequestHead & {
  /**
   * Fills `into` with the next bytes of the body. Calls queue up, so that the system finds memory to go on with while the last
   * piece is being looked at. Until it settles the memory belongs to the connection, whatever becomes of the exchange.
   * @returns `into`. Rejects when the sender has left, and when more is asked for than the body has
   */
  fill<T extends Uint8Array>(into: T): Promise<T>
  /** Answers with all there is to say. `headers` state the length where there is a body. */
  answer(status: number, headers: Headers, bytes?: Uint8Array): void
  /** Answers with `length` bytes, as the headers state it, that `write` brings. */
  begin(status: number, headers: Headers, length: number): void
  /** Settles when the system has taken the piece, so that its memory can be used again. */
  write(piece: Uint8Array): Promise<void>
  answered(): boolean
  /** Status of the answer and bytes of its body; undefined before it is given. */
  status(): number | undefined
  sent(): number
  /** Where the other side speaks from. */
  address: string
  /** Whether the connection is by TLS. */
  secure: boolean
  /** Who is at the other end, where the listener judges certificates. */
  peer: Peer | undefined
  /** Aborted when the other side is gone, so that nobody hears an answer. */
  left: AbortSignal
  /** Ends the connection in the middle, where there is no other way to say that the rest will not come. */
  cut(): void
}

export type Connection = {
  /** Ends it as soon as no request is under way. */
  finish(): void
  end(): void
  /**
   * Looks whether the other side keeps up; to be called every `lookMs`.
   * @param now of a clock that only goes forward, milliseconds
   * @returns why the connection was given up
   */
  look(now: number): 'slow' | 'long' | undefined
}

/** How often connections are looked at, milliseconds. */
export const lookMs = 5000

export type ConnectionConfig = {
  /** A sender that is silent for so long in the middle of a request is given up. */
  silentMs: number
  /** So long a connection may rest between two requests; not less than `silentMs`. */
  idleMs: number
  /** Bodies straight into the memory of who takes them, where this Node can. */
  direct: boolean
  /** Bytes of a head at the most. */
  headMost: number
  /** A head that is not whole so long after its first byte is refused; `silentMs` if not given. */
  headMs?: number
  /** Lines of a head at the most; 100 if not given. */
  headersMost?: number
  /** A side that is waited for and moves fewer bytes than that in each second, for so long, is given up. */
  slow?: { bytesPerSecond: number; graceMs: number }
  /** No request takes longer, milliseconds. */
  requestMs?: number
  /** Room behind a head for what of a body comes together with it, bytes; 4096 if not given. */
  frontBytes?: number
}

/** How long a refused sender may go on before its connection is cut. */
const lingerMs = 2000
const usualFrontBytes = 4 * 1024
/** Room for one read more, when the front was full at the time that the system was given its place. */
const spareBytes = 4 * 1024
/** By so much the front grows where that is not enough. */
const overflowBytes = 64 * 1024

type Want = { into: Uint8Array; got: number; resolve(): void; reject(error: Error): void }

/**
 * Serves one accepted connection (RFC 9112, one request at a time), without the HTTP server of Node: that one hands bodies over
 * in small chunks of fresh memory. docs/decisions/0009 says what that costs.
 * @param accepted paused since it was accepted
 * @param handle answers one exchange; it must not throw
 * @param closed called once, when the connection is gone
 * @param link what is known of the connection before the first request
 */
export function serveConnection(
  clock: Clock,
  accepted: Socket,
  config: ConnectionConfig,
  handle: (exchange: Exchange) => Promise<unknown>,
  closed: () => void,
  link: Pick<Exchange, 'secure' | 'peer'> = { secure: false, peer: undefined },
): Connection {
  const room = config.headMost + (config.frontBytes ?? usualFrontBytes)
  const usual = room + spareBytes
  let front = Buffer.allocUnsafeSlow(usual)
  let [start, end] = [0, 0]
  const wants: Want[] = []
  const address = accepted.remoteAddress ?? ''
  /** Those who wait until the system has taken what they write. */
  const writing = new Set<(error: Error) => void>()
  let state: 'head' | 'busy' | 'discarding' | 'over' = 'head'
  let [ended, finishing] = [false, false]
  /** The system was told to wait with what comes. */
  let paused = true
  /** The connection rests for longer than a sender may be silent. */
  let resting = false
  /** Bytes of the body that is under way. */
  let got = 0
  let cancelHead: (() => void) | undefined
  let left: AbortController | undefined
  /** Answers that wait to be written together with those of others. */
  let late = 0
  /** Of the request that is under way: how it is ended with words; whether somebody has looked at it; since when it is slow. */
  let sayLate: (() => void) | undefined
  let seen: { since: number; moved: number; at: number; slowMs: number } | undefined

  const catchUp = () => {
    if (late > 0) writeLate()
  }
  const say = (text: string) => {
    catchUp()
    socket.write(text, 'latin1')
  }
  const resume = () => {
    if (!paused) return
    paused = false
    socket.resume()
  }
  /** Where the system is to write next. Only here may the front move: afterwards the system has its place in it. */
  const next = (): Uint8Array => {
    const [want] = wants
    if (want && start === end) return want.into.subarray(want.got)
    if (start > 0) front.copyWithin(0, start, end)
    ;[start, end] = [0, end - start]
    if (end === front.length) {
      // What has come by TLS is opened to its end, also after the system was told to wait: 64 KiB at a time.
      const larger = Buffer.allocUnsafeSlow(front.length + overflowBytes)
      front.copy(larger, 0, 0, end)
      front = larger
    } else if (end === 0 && front.length > usual) front = Buffer.allocUnsafeSlow(usual)
    return end < room ? front.subarray(end, room) : front.subarray(end)
  }
  const landed = (length: number, where: Uint8Array): boolean => {
    if (resting) {
      resting = false
      socket.setTimeout(config.silentMs)
    }
    if (where.buffer !== front.buffer) progress(wants[0] as Want, length)
    else {
      end += length
      if (state === 'discarding') start = end
      serveWants()
      if (state === 'head') readHead()
    }
    // Also while an answer is being made: who leaves is heard of.
    const more = state !== 'busy' || wants.length > 0 || end < room
    // Once told to wait the system waits until it is told to go on, though more of what it has may still be opened.
    paused ||= !more
    return more
  }
  const progress = (want: Want, length: number) => {
    want.got += length
    got += length
    if (want.got < want.into.length) return
    wants.shift()
    want.resolve()
  }
  const serveWants = () => {
    for (let want = wants[0]; want && start < end; want = wants[0]) {
      const copied = front.copy(want.into, want.got, start, Math.min(end, start + want.into.length - want.got))
      start += copied
      progress(want, copied)
    }
  }
  const socket = openSocket(accepted, config.direct, next, landed)

  const leave = () => {
    if (state === 'over') return
    catchUp()
    state = 'over'
    cancelHead?.()
    for (const want of wants.splice(0)) want.reject(otherLeft())
    for (const reject of writing) reject(otherLeft())
    left?.abort(otherLeft())
    socket.destroy()
    closed()
  }
  const timedOut = () => {
    if (resting || state !== 'head' || start < end || config.idleMs <= config.silentMs) return leave()
    resting = true
    socket.setTimeout(config.idleMs - config.silentMs)
  }
  const refuseHead = (status: number) => {
    say(headText(clock, status, { 'content-length': 0 }, false))
    linger()
  }
  const readHead = () => {
    // Who has said all is answered as far as he came.
    if (start === end) return ended ? linger() : undefined
    const parsed = parseRequestHead(front.subarray(start, end), config.headMost, config.headersMost)
    if (!parsed) {
      if (ended) return linger()
      cancelHead ??= clock.after(config.headMs ?? config.silentMs, () => refuseHead(408))
      return
    }
    cancelHead?.()
    cancelHead = undefined
    if ('refused' in parsed) return refuseHead(parsed.refused)
    start += parsed.length
    state = 'busy'
    got = 0
    seen = undefined
    void serve(parsed.head)
  }
  const serve = async (head: RequestHead) => {
    const { exchange, outcome } = openExchange(head)
    await handle(exchange)
    if (state === 'over') return
    const { whole, keep } = outcome()
    if (!whole) return leave()
    if (!keep || finishing) return linger()
    if (socket.writableNeedDrain) {
      await drained()
      if (isOver()) return
    }
    state = 'head'
    readHead()
    resume()
  }
  /** Who sends requests and takes no answers is heard no further. */
  const drained = () =>
    new Promise<void>((resolve) => {
      const go = () => {
        socket.off('drain', go).off('close', go)
        resolve()
      }
      socket.on('drain', go).on('close', go)
    })
  const isOver = () => state === 'over'
  /**
   * The last answer was given. What may be left of a refused body is thrown away for a moment: cutting the connection at
   * once would take the answer away from a sender that has not read it yet.
   */
  const linger = () => {
    state = 'discarding'
    start = end
    catchUp()
    socket.end()
    clock.after(lingerMs, leave)
    resume()
  }

  /** Ends a request whose other side does not keep up, and says so where nothing was said yet. */
  const giveUp = () => {
    finishing = true
    sayLate?.()
    // What is being received must not land in memory that is no longer ours, so nothing more is ever read.
    paused = false
    socket.pause()
    socket.end()
    clock.after(lingerMs, leave)
    for (const want of wants.splice(0)) want.reject(otherLeft())
    for (const reject of writing) reject(otherLeft())
    left?.abort(otherLeft())
  }

  const openExchange = (head: RequestHead): { exchange: Exchange; outcome(): { whole: boolean; keep: boolean } } => {
    let owed: number | undefined
    let [stated, sent]: [number | undefined, number] = [undefined, 0]
    let keep = head.keep
    let asked = 0
    let continued = !head.continues
    const controller = new AbortController()
    left = controller
    sayLate = () => {
      if (owed === undefined) say(headOf(408, { 'content-length': 0 }, 0))
    }
    /** Said together with the first piece that follows. */
    let unsaid = ''
    const headOf = (status: number, headers: Headers, length: number): string => {
      keep &&= got === head.bodyLength && !finishing
      const text = headText(clock, status, headers, keep)
      owed = length
      stated = status
      sent = length
      return text
    }
    const exchange: Exchange = {
      ...head,
      answered: () => owed !== undefined,
      status: () => stated,
      sent: () => sent,
      address,
      secure: link.secure,
      peer: link.peer,
      left: controller.signal,
      fill(into) {
        if (!continued) {
          continued = true
          say('HTTP/1.1 100 Continue\r\n\r\n')
        }
        return new Promise((resolve, reject) => {
          if (state === 'over') return reject(otherLeft())
          asked += into.length
          if (asked > head.bodyLength) return reject(new RangeError('the body has fewer bytes than that'))
          if (into.length === 0) return resolve(into)
          wants.push({ into, got: 0, resolve: () => resolve(into), reject })
          serveWants()
          if (wants.length === 0) return
          if (ended) leave()
          else resume()
        })
      },
      answer(status, headers, bytes) {
        const text = headOf(status, headers, 0)
        const size = bytes?.length ?? 0
        sent = size
        if (text.length + size <= joinedMost) {
          late++
          together(() => {
            late--
            writeJoined(socket, text, bytes)
          })
        } else {
          catchUp()
          socket.cork()
          socket.write(text, 'latin1')
          if (bytes && size > 0) socket.write(bytes)
          socket.uncork()
        }
      },
      begin(status, headers, length) {
        const text = headOf(status, headers, length)
        if (length > 0) unsaid = text
        else say(text)
      },
      write(piece) {
        owed = (owed ?? 0) - piece.length
        return new Promise((resolve, reject) => {
          if (state === 'over') return reject(otherLeft())
          writing.add(reject)
          catchUp()
          socket.cork()
          if (unsaid !== '') socket.write(unsaid, 'latin1')
          unsaid = ''
          socket.write(piece, (error) => {
            writing.delete(reject)
            if (error) reject(error)
            else resolve()
          })
          socket.uncork()
        })
      },
      cut: leave,
    }
    return { exchange, outcome: () => ({ whole: owed === 0, keep }) }
  }

  socket.on('timeout', timedOut)
  socket.on('error', leave)
  socket.on('close', leave)
  socket.on('end', () => {
    ended = true
    // Somebody who has said all may still wait for the answer.
    if (state !== 'busy' || wants.length > 0) leave()
  })
  socket.setTimeout(config.silentMs)
  resume()
  return {
    finish() {
      finishing = true
      if (state === 'head' && start === end) leave()
    },
    end: leave,
    look(now) {
      if (state !== 'busy' || finishing) return undefined
      const moved = socket.bytesRead + socket.bytesWritten
      const before = seen ?? { since: now, moved, at: now, slowMs: 0 }
      const ms = now - before.at
      const waited = wants.length > 0 || writing.size > 0
      const least = ((config.slow?.bytesPerSecond ?? 0) * ms) / 1000
      const slow = config.slow !== undefined && waited && ms > 0 && moved - before.moved < least
      seen = { since: before.since, moved, at: now, slowMs: slow ? before.slowMs + ms : 0 }
      const why =
        seen.slowMs >= (config.slow?.graceMs ?? Number.POSITIVE_INFINITY)
          ? 'slow'
          : now - seen.since >= (config.requestMs ?? Number.POSITIVE_INFINITY)
            ? 'long'
            : undefined
      if (why) giveUp()
      return why
    },
  }
}

const otherLeft = () => new Error('the other side has left')
