import { freshName, type Ground } from '../ground.ts'
import type { Segment } from '../index/segment.ts'
import type { Bucket } from '../object.ts'
import { readSegment } from '../read/read-segments.ts'
import { sealedContents } from '../write/contents.ts'
import { giveUp } from '../write/give-up.ts'
import { wholePlain } from '../write/plain.ts'
import { plan, writeSegment } from '../write/write-segment.ts'
import { type Guard, replaceCommitted } from './replace-committed.ts'

/** Stores a segment anew, with fresh keys and whatever code the providers of now allow, and lets it take the old one's place. */
export async function rewriteSegment(
  ground: Ground,
  bucket: Bucket,
  segment: Segment,
  guard: Guard,
  signal: AbortSignal,
): Promise<void> {
  const intent = freshName(ground)
  await ground.writeMemory.take(segment.size)
  try {
    const bytes = Buffer.allocUnsafeSlow(segment.size)
    let at = 0
    for await (const chunk of readSegment(ground, bucket.tenant, segment, signal)) {
      bytes.set(chunk, at)
      at += chunk.length
    }
    await plan(ground, intent, [])
    const { body, position } = segment
    const contents = sealedContents(ground, bucket, wholePlain(bytes))
    const next = await writeSegment(ground, { scope: bucket, intent, body, position, contents, signal })
    await replaceCommitted(ground, bucket, intent, segment, next, guard)
  } catch (error) {
    await giveUp(ground, intent)
    throw error
  } finally {
    ground.writeMemory.give(segment.size)
  }
}
