import { createServer } from 'node:net'
import { hostError } from '../errors.ts'

const tries = 500

/** A port on which nobody listens: this one, or the next that is free and not in `taken`. @throws port.none */
export async function freePort(host: string, from: number, taken: ReadonlySet<number>): Promise<number> {
  for (let port = from; port < Math.min(from + tries, 65_536); port++) {
    if (!taken.has(port) && (await isFree(host, port))) return port
  }
  throw hostError('port.none', { from, to: from + tries })
}

/** Whether one could listen there now. */
export function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
