import type { Server } from 'node:net'
import { hostError } from '../errors.ts'
import type { TlsListen } from '../tls/tls-edge.ts'

export type Listen = {
  host: string
  /** 0 for any. */
  port: number
  /** Other processes listen on the same port, and the kernel spreads connections over them. */
  shared?: boolean
  /** Everybody must speak TLS; without, nobody may. */
  tls?: TlsListen | undefined
}

/** Begins to listen. @throws port.taken, port.denied */
export async function listenOn(server: Server, { host, port, shared = false }: Listen): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') {
        const mend = 'Stop that program, or choose another port with --port N.'
        reject(hostError('port.taken', { port, address: host, use: 'it listens there already', mend }, error))
      } else if (error.code === 'EACCES') reject(hostError('port.denied', { port }, error))
      else reject(error)
    }
    server.once('error', onError)
    server.listen({ host, port, backlog: 1024, reusePort: shared }, () => {
      server.off('error', onError)
      resolve()
    })
  })
}
