import { timingSafeEqual } from 'node:crypto'
import { bodyTagBytes, type Node, openBodyTag, type ShardRequest, storageError } from '#storage'
import type { Exchange } from './http-connection.ts'
import { givePages, pagedBytes, takePages } from './pages.ts'

const longestShard = 64 * 1024 * 1024

type Ports = { node: Node; provider: string }

/** Takes a shard in. The tag behind the body is checked before the shard gets its name, so bytes of somebody else never do. */
export async function receiveShard(
  { node, provider }: Ports,
  key: Uint8Array,
  signed: ShardRequest,
  name: string,
  exchange: Exchange,
): Promise<void> {
  const length = signed.length - bodyTagBytes
  if (length < 1 || length > longestShard) {
    throw storageError('shard.denied', { provider, reason: 'the length of the shard is missing or out of bounds' })
  }
  const writer = await node.create(name, length)
  const tag = openBodyTag(key, signed.nonce)
  let left = length
  const fill = (buffer: Buffer) => {
    const piece = buffer.subarray(0, Math.min(buffer.length, left))
    left -= piece.length
    const filled = exchange.fill(piece)
    filled.catch(() => 'it is thrown where it is waited for')
    return filled
  }
  // Two buffers take turns, where one is not enough: one fills while the other is written.
  const buffers = Array.from({ length: length > pagedBytes ? 2 : 1 }, () => takeStaging(length))
  const filling = buffers.map(fill)
  try {
    for (let turn = 0, got = 0; got < length; turn = 1 - turn) {
      const piece = await (filling[turn] as Promise<Buffer>)
      got += piece.length
      tag.update(piece)
      await writer.write(piece)
      filling[turn] = fill(buffers[turn] as Buffer)
    }
    const trailer = await exchange.fill(Buffer.alloc(bodyTagBytes))
    if (!timingSafeEqual(tag.digest(), trailer)) {
      throw storageError('shard.denied', { provider, reason: 'the body is not the one that was signed' })
    }
    await writer.finish()
  } catch (error) {
    writer.abort()
    throw error
  } finally {
    // What was refused in the middle may still be coming, and until it has come the memory is not ours.
    void Promise.allSettled(filling).then(() => buffers.forEach(givePages))
  }
}

function takeStaging(length: number): Buffer {
  return length >= pagedBytes ? takePages() : Buffer.allocUnsafeSlow(length)
}
