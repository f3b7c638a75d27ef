import { timingSafeEqual } from 'node:crypto'
import { bodyTagBytes, type Node, openBodyTag, type ShardRequest, type ShardWriter, storageError } from '#storage'
import type { Exchange } from '../http/http-connection.ts'
import { givePages, pagedBytes, takePages } from '../disk/pages.ts'

const longestShard = 64 * 1024 * 1024
/** Up to so many bytes, its tag among them, a shard is taken in as one piece. */
const shortBytes = 64 * 1024
/** Memory for such pieces that waits to be used again: to get and to clear away fresh memory costs more than to fill it. */
const shortFree: Buffer[] = []
const shortFreeMost = 32

type Ports = { node: Node; provider: string }
type Receiving = { writer: ShardWriter; tag: ReturnType<typeof openBodyTag>; length: number; exchange: Exchange }

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
  try {
    const receive = signed.length <= shortBytes ? receiveShort : receiveLong
    const asSigned = await receive({ writer, tag: openBodyTag(key, signed.nonce), length, exchange })
    if (!asSigned) {
      throw storageError('shard.denied', { provider, reason: 'the body is not the one that was signed' })
    }
    await writer.finish()
  } catch (error) {
    writer.abort()
    throw error
  }
}

/** @returns whether the tag behind the body is the right one; if not, nothing was written */
async function receiveShort({ writer, tag, length, exchange }: Receiving): Promise<boolean> {
  const staging = shortFree.pop() ?? Buffer.allocUnsafeSlow(shortBytes)
  try {
    const whole = await exchange.fill(staging.subarray(0, length + bodyTagBytes))
    const body = whole.subarray(0, length)
    tag.update(body)
    if (!timingSafeEqual(tag.digest(), whole.subarray(length))) return false
    await writer.write(body)
    return true
  } finally {
    if (shortFree.length < shortFreeMost) shortFree.push(staging)
  }
}

/** @returns whether the tag behind the body is the right one */
async function receiveLong({ writer, tag, length, exchange }: Receiving): Promise<boolean> {
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
    return timingSafeEqual(tag.digest(), trailer)
  } finally {
    // What was refused in the middle may still be coming, and until it has come the memory is not ours.
    void Promise.allSettled(filling).then(() => buffers.forEach(givePages))
  }
}

function takeStaging(length: number): Buffer {
  return length >= pagedBytes ? takePages() : Buffer.allocUnsafeSlow(length)
}
