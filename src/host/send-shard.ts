import type { ServerResponse } from 'node:http'
import { type Node, storageError } from '#storage'

/** Read and sent at a time; two such buffers take turns, so that one is read while the other is sent. */
const pieceBytes = 512 * 1024
const pieces: Buffer[] = []
const piecesKept = 16

type Ports = { node: Node; provider: string }

/** Sends exactly `length` bytes of a shard from `offset` on. Nothing is sent before it is known that the shard is long enough. */
export async function sendShard(
  { node, provider }: Ports,
  name: string,
  { offset, length }: { offset: number; length: number },
  response: ServerResponse,
): Promise<void> {
  const head = { 'content-type': 'application/octet-stream', 'content-length': length }
  if (length <= pieceBytes / 4) {
    const bytes = await node.read(name, offset, length)
    response.writeHead(200, head)
    response.end(bytes)
    return
  }
  const shard = await node.open(name)
  const buffers = [takePiece(), takePiece()] as const
  let sending: Promise<void> = Promise.resolve()
  try {
    if (offset + length > (await shard.size())) throw storageError('shard.range', { provider })
    response.writeHead(200, head)
    for (let at = 0, turn: 0 | 1 = 0; at < length; turn = turn === 0 ? 1 : 0) {
      const piece = buffers[turn].subarray(0, Math.min(pieceBytes, length - at))
      await shard.read(offset + at, piece)
      await sending
      sending = send(response, piece)
      sending.catch(() => 'it is thrown where it is waited for')
      at += piece.length
    }
    await sending
    response.end()
    givePieces(buffers)
  } finally {
    await shard.close()
  }
}

/** Settles when the socket has taken all of it, so that the buffer can be used again. */
function send(response: ServerResponse, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const left = () => reject(new Error('the gateway left'))
    response.once('close', left)
    response.write(piece, (error) => {
      response.off('close', left)
      if (error) reject(error)
      else resolve()
    })
  })
}

function takePiece(): Buffer {
  return pieces.pop() ?? Buffer.allocUnsafeSlow(pieceBytes)
}

/** Buffers of a connection that broke are not used again: the system may still look at them. */
function givePieces(used: readonly Buffer[]): void {
  for (const piece of used) if (pieces.length < piecesKept) pieces.push(piece)
}
