import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** What is cut: the n-th message (from 0) that comes from this side is not handed on, and both sides lose each other. */
export type Cut = { from: 'client' | 'server'; message: number }

/** A proxy before a PostgreSQL server that knows where its messages begin. */
export type CuttingProxy = {
  port: number
  /** The next cut; it happens once. */
  arm(cut: Cut): void
  /** Whether it has happened; it is disarmed. */
  disarm(): boolean
  close(): Promise<void>
}

export async function startCuttingProxy(to: number): Promise<CuttingProxy> {
  let armed: (Cut & { seen: number }) | undefined
  let happened = false
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(to, '127.0.0.1')
    const both = [client, upstream]
    const end = () => {
      for (const socket of both) {
        socket.destroy()
        open.delete(socket)
      }
    }
    for (const socket of both) {
      open.add(socket)
      socket.setNoDelay(true)
      socket.on('error', end)
      socket.on('close', end)
    }
    const forward = (from: Cut['from'], source: Socket, target: Socket, started: boolean) => {
      let rest = Buffer.alloc(0)
      let begun = started
      source.on('data', (chunk: Buffer) => {
        rest = Buffer.concat([rest, chunk])
        for (;;) {
          // The first message of a client has no letter before its length.
          const head = begun ? 1 : 0
          if (rest.length < head + 4) return
          const length = head + rest.readUInt32BE(head)
          if (rest.length < length) return
          if (armed?.from === from && begun && armed.seen++ === armed.message) {
            armed = undefined
            happened = true
            return end()
          }
          begun = true
          target.write(rest.subarray(0, length))
          rest = rest.subarray(length)
        }
      })
    }
    forward('client', client, upstream, false)
    forward('server', upstream, client, true)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    arm(cut) {
      armed = { ...cut, seen: 0 }
      happened = false
    },
    disarm() {
      armed = undefined
      return happened
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
