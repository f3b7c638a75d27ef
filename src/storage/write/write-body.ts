import type { Call } from '#kernel'
import type { Body, Bucket, Checksum } from '../object.ts'
import type { Ground } from '../ground.ts'
import type { Segment } from '../index/segment.ts'
import { sealedContents } from './contents.ts'
import { etagOf, needsMd5 } from './etag.ts'
import { giveUp } from './give-up.ts'
import { openBodyReader, openPlain } from './plain.ts'
import { plan, writeSegment } from './write-segment.ts'

/** Bytes that are durable at the providers, but not committed: `body` is also the intent under which they may be. */
export type WrittenBody = { body: string; size: number; etag: string; checksum?: Checksum; segments: Segment[] }

/** Segments of one body under way at the same time: the next one is read while the last one is being confirmed. */
const segmentsAtOnce = 2

/**
 * Takes a body in and stores it, segment by segment. What it holds in memory is taken from the budget first.
 * If anything fails, the intent is given up, so that the sweep removes what was already written.
 * @param body a fresh name
 */
export async function writeBody(
  ground: Ground,
  call: Call,
  bucket: Bucket,
  body: string,
  input: Body,
): Promise<WrittenBody> {
  const { limits } = ground
  const stop = new AbortController()
  const forward = () => stop.abort(call.signal.reason)
  if (call.signal.aborted) forward()
  call.signal.addEventListener('abort', forward, { once: true })
  const reader = openBodyReader(input, needsMd5(bucket, input) ? ground.offload.hash('md5') : undefined)
  const writing: Promise<Segment>[] = []
  let renewAt = 0
  const renew = async () => {
    stop.signal.throwIfAborted()
    if (ground.clock.now() < renewAt) return
    renewAt = ground.clock.now() + limits.intentMs / 3
    await plan(ground, body, [])
  }
  try {
    await renew()
    for (let offset = 0; offset < input.size; offset += limits.segmentBytes) {
      await writing[writing.length - segmentsAtOnce]
      const size = Math.min(limits.segmentBytes, input.size - offset)
      await ground.writeMemory.take(size, call.actor)
      const plain = openPlain(ground.buffers.take(size))
      const position = writing.length
      const contents = sealedContents(ground, bucket, plain)
      const job = { scope: bucket, intent: body, body, position, contents, signal: stop.signal }
      const segment = writeSegment(ground, job)
      const counted = segment.finally(() => ground.writeMemory.give(size, call.actor))
      counted.catch(() => 'seen below, when all are awaited')
      writing.push(counted)
      const filled = reader.fill(plain, renew)
      // Only when nobody reads or writes it any more; after a failure it is left to the collector.
      Promise.all([segment, filled]).then(
        () => ground.buffers.give(plain.bytes),
        () => 'seen below',
      )
      // A segment that failed must not wait for a slow sender; a sender that failed is reported by `filled`.
      await Promise.race([filled, segment.then(() => filled)])
    }
    const segments = await Promise.all(writing)
    const md5 = await reader.end()
    const checksum = input.finish(md5)
    return { body, size: input.size, etag: etagOf(ground, md5), segments, ...(checksum && { checksum }) }
  } catch (error) {
    stop.abort(error)
    reader.drop()
    await Promise.allSettled(writing)
    await giveUp(ground, body)
    throw error
  } finally {
    call.signal.removeEventListener('abort', forward)
  }
}
