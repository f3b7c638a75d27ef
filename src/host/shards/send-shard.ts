import { type Node, storageError } from '#storage'
import type { Exchange } from '../http/http-connection.ts'
import { directBytes, givePages, pagedBytes, takePages } from '../disk/pages.ts'

/** Shorter reads are made in one go, and through the system's cache. */
const shortBytes = 128 * 1024

type Ports = { node: Node; provider: string }

/** Sends exactly `length` bytes of a shard from `offset` on. Nothing is sent before it is known that the shard is long enough. */
export async function sendShard(
  { node, provider }: Ports,
  name: string,
  { offset, length }: { offset: number; length: number },
  exchange: Exchange,
): Promise<void> {
  const head = { 'content-type': 'application/octet-stream', 'content-length': length }
  if (length <= shortBytes) {
    exchange.answer(200, head, await node.read(name, offset, length))
    return
  }
  const shard = await node.open(name)
  // Two buffers take turns: one is read while the other is sent.
  const buffers = [takePages(), takePages()] as const
  let sending: Promise<void> = Promise.resolve()
  try {
    const end = offset + length
    if (end > (await shard.size())) throw storageError('shard.range', { provider })
    exchange.begin(200, head, length)
    // Whole pages are read, and of them is sent what was asked for.
    for (let at = offset - (offset % directBytes), turn: 0 | 1 = 0; at < end; turn = turn === 0 ? 1 : 0) {
      const piece = buffers[turn].subarray(0, Math.min(pagedBytes, pages(end - at)))
      const got = await shard.read(at, piece)
      const wanted = Math.min(piece.length, end - at)
      if (got < wanted) throw storageError('shard.range', { provider })
      await sending
      sending = exchange.write(piece.subarray(Math.max(0, offset - at), wanted))
      sending.catch(() => 'it is thrown where it is waited for')
      at += wanted
    }
    await sending
  } finally {
    const give = () => buffers.forEach(givePages)
    sending.then(give, give)
    await shard.close()
  }
}

const pages = (length: number) => Math.ceil(length / directBytes) * directBytes
