/**
 * Bare node:http in a process of its own: takes bodies and forgets them, gives as many bytes as the path says. What nobody
 * who serves with node:http can be quicker than.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const bodies = new Map<number, Buffer>()
const server = createServer((request, response) => {
  if (request.method === 'PUT') {
    request.resume().on('end', () => response.writeHead(200, { 'content-length': 0 }).end())
    return
  }
  const size = Number(/^\/bytes\/(\d+)\//.exec(request.url ?? '')?.[1] ?? 0)
  let body = bodies.get(size)
  if (!body) {
    body = Buffer.alloc(size, 1)
    bodies.set(size, body)
  }
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
  const part = range ? body.subarray(Number(range[1]), Number(range[2]) + 1) : body
  response.writeHead(range ? 206 : 200, { 'content-length': part.length })
  response.end(request.method === 'HEAD' ? undefined : part)
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit(0))
