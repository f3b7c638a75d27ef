/** Raw HTTP over loopback in a process of its own: takes bodies and forgets them, gives bytes. What no S3 endpoint can be quicker than. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const sizes = new Map<string, Buffer>()
const server = createServer((request, response) => {
  if (request.method === 'PUT') {
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
    })
    request.on('end', () => {
      if (!sizes.has(request.url ?? '')) sizes.set(request.url ?? '', Buffer.alloc(size, 1))
      response.writeHead(200, { 'content-length': 0 }).end()
    })
    return
  }
  const body = sizes.get(request.url ?? '') ?? Buffer.alloc(0)
  response.writeHead(200, { 'content-length': body.length }).end(body)
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit(0))
