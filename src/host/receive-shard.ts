import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { release } from '#kernel'
import { bodyTagBytes, type Node, openBodyTag, type ShardRequest, storageError } from '#storage'
import { givePages, pagedBytes, takePages } from './pages.ts'

const longestShard = 64 * 1024 * 1024

type Ports = { node: Node; provider: string }

/** Takes a shard in. The tag behind the body is checked before the shard gets its name, so bytes of somebody else never do. */
export async function receiveShard(
  { node, provider }: Ports,
  key: Uint8Array,
  signed: ShardRequest,
  name: string,
  request: IncomingMessage,
): Promise<void> {
  const length = signed.length - bodyTagBytes
  if (!Number.isSafeInteger(length) || length < 1 || length > longestShard) {
    throw storageError('shard.denied', { provider, reason: 'the length of the shard is missing or out of bounds' })
  }
  const writer = await node.create(name, length)
  const tag = openBodyTag(key, signed.nonce)
  const trailer = Buffer.alloc(bodyTagBytes)
  // Two buffers take turns: one fills while the other is written.
  let [staged, spare] = [takeStaging(length), takeStaging(length)]
  let writing: Promise<void> = Promise.resolve()
  let filled = 0
  let got = 0
  const write = async () => {
    const full = staged.subarray(0, filled)
    await writing
    writing = writer.write(full)
    writing.catch(() => 'it is thrown where it is waited for')
    ;[staged, spare] = [spare, staged]
    filled = 0
  }
  const stage = async (body: Buffer, from: number) => {
    for (let at = from; at < body.length; ) {
      await write()
      filled = body.copy(staged, 0, at)
      at += filled
    }
  }
  try {
    await consume(request, (chunk) => {
      const body = chunk.subarray(0, Math.max(0, length - got))
      if (body.length < chunk.length) chunk.copy(trailer, Math.max(0, got - length), body.length)
      got += chunk.length
      tag.update(body)
      const fits = body.copy(staged, filled)
      filled += fits
      if (fits < body.length) return stage(body, fits).then(() => release(chunk))
      release(chunk)
      return undefined
    })
    if (filled > 0) await write()
    await writing
    if (got !== signed.length || !timingSafeEqual(tag.digest(), trailer)) {
      throw storageError('shard.denied', { provider, reason: 'the body is not the one that was signed' })
    }
    await writer.finish()
  } catch (error) {
    const abort = () => writer.abort()
    await writing.then(abort, abort)
    throw error
  } finally {
    givePages(staged)
    givePages(spare)
  }
}

/**
 * Hands every chunk on, and waits where `take` does. Unlike an iterator it leaves the connection open when `take` fails, so that
 * the sender can be told why.
 */
function consume(request: IncomingMessage, take: (chunk: Buffer) => Promise<void> | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    // It may have left while the file was being made.
    if (request.destroyed) {
      reject(new Error('the gateway left'))
      return
    }
    let waiting = Promise.resolve()
    const leave = () => {
      request.off('data', onData).off('end', onEnd).off('close', onClose)
    }
    const fail = (error: unknown) => {
      leave()
      reject(error)
    }
    const onData = (chunk: Buffer) => {
      const busy = take(chunk)
      if (!busy) return
      waiting = busy
      request.pause()
      busy.then(() => request.resume(), fail)
    }
    // The end comes although the last chunk is still being taken.
    const onEnd = () => {
      leave()
      waiting.then(resolve, reject)
    }
    const onClose = () => {
      leave()
      const left = () => reject(new Error('the gateway left'))
      waiting.then(left, left)
    }
    request.on('data', onData).once('end', onEnd).once('close', onClose)
  })
}

function takeStaging(length: number): Buffer {
  return length >= pagedBytes ? takePages() : Buffer.allocUnsafeSlow(length)
}
