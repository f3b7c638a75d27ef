/** One connection of the load process: HTTP/1.1 over a bare socket, with as little work per request as is right. */
import { connect, type Socket } from 'node:net'

/** A request that was built and signed before the clock started. */
export type Prepared = {
  head: Buffer
  /** The body in pieces; none without a body. */
  body?: () => Iterable<Buffer>
  /** An answer to HEAD says a length and brings no bytes. */
  bodiless: boolean
  /** Sees each piece of an answer's body and where it begins. */
  look?: (offset: number, bytes: Buffer) => void
}
export type Answer = { status: number; bytes: number; said: string }

export type Lane = { send(request: Prepared): Promise<Answer>; close(): void }

/** All connections read into the same memory: a piece is looked at before the next one is read. */
const room = Buffer.allocUnsafeSlow(1024 * 1024)
const endOfHead = Buffer.from('\r\n\r\n')
const saidMost = 300

type Open = {
  request: Prepared
  resolve(answer: Answer): void
  reject(error: Error): void
  head: Buffer | undefined
  status: number
  /** Bytes of the body that are still to come; -1 while chunks are counted by their end. */
  left: number
  got: number
  said: string
}

export function openLane(host: string, port: number): Lane {
  let socket: Socket | undefined
  let open: Open | undefined
  const settle = (error?: Error) => {
    const done = open
    open = undefined
    if (!done) return
    if (error) done.reject(error)
    else done.resolve({ status: done.status, bytes: done.got, said: done.said })
  }
  const take = (bytes: Buffer): void => {
    if (!open) return lose(new Error('bytes came that nobody asked for'))
    let body = bytes
    if (open.status === 0) {
      const all = open.head ? Buffer.concat([open.head, bytes]) : bytes
      const end = all.indexOf(endOfHead)
      if (end === -1) {
        open.head = Buffer.from(all)
        return
      }
      open.head = undefined
      const rest = all.subarray(end + 4)
      readHead(open, all.toString('latin1', 0, end).toLowerCase())
      if (open.status < 200) {
        open.status = 0
        if (rest.length > 0) take(rest)
        return
      }
      body = rest
    }
    if (body.length > 0) {
      if (open.status >= 300 && open.said.length < saidMost) open.said += body.toString('latin1', 0, saidMost)
      open.request.look?.(open.got, body)
      open.got += body.length
    }
    if (open.left === -1) {
      if (body.length >= 5 && body.toString('latin1', body.length - 5) === '0\r\n\r\n') settle()
    } else if (open.got === open.left) settle()
    else if (open.got > open.left) lose(new Error(`${open.got} bytes came instead of ${open.left}`))
  }
  const lose = (error: Error) => {
    const lost = socket
    socket = undefined
    lost?.destroy()
    settle(error)
  }
  const dial = (): Socket => {
    const made = connect({
      host,
      port,
      noDelay: true,
      onread: {
        buffer: room,
        callback: (length) => {
          if (socket === made) take(room.subarray(0, length))
          return true
        },
      },
    })
    const gone = (error: Error) => {
      if (socket === made) lose(error)
    }
    made.on('error', gone)
    made.on('end', () => gone(new Error('the other side hung up')))
    made.on('close', () => gone(new Error('the connection was closed')))
    return made
  }
  return {
    send(request) {
      return new Promise((resolve, reject) => {
        socket ??= dial()
        open = { request, resolve, reject, head: undefined, status: 0, left: 0, got: 0, said: '' }
        write(socket, request)
      })
    },
    close() {
      const last = socket
      socket = undefined
      last?.destroy()
    },
  }
}

function readHead(open: Open, head: string): void {
  open.status = Number(head.slice(9, 12))
  const at = head.indexOf('\r\ncontent-length:')
  if (open.request.bodiless || open.status === 204 || open.status === 304) open.left = 0
  else if (at !== -1) open.left = Number.parseInt(head.slice(at + 17), 10)
  else open.left = head.includes('\r\ntransfer-encoding: chunked') ? -1 : 0
}

/** Large bodies wait for the connection; small ones go out with their head at once. */
function write(socket: Socket, { head, body }: Prepared): void {
  if (!body) return void socket.write(head)
  const pieces = body()[Symbol.iterator]()
  socket.cork()
  let room = socket.write(head)
  for (let more = 2; more > 0; more--) {
    const { value, done } = pieces.next()
    if (done) break
    room = socket.write(value)
  }
  socket.uncork()
  const next = () => {
    for (;;) {
      const { value, done } = pieces.next()
      if (done) return
      if (!socket.write(value)) return void socket.once('drain', next)
    }
  }
  if (room) next()
  else socket.once('drain', next)
}
