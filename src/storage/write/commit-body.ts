import { hasCode, type Row, type Statement } from '#kernel'
import { judge, type Policy } from '#pool'
import { storageError } from '../errors.ts'
import type { Ground } from '../ground.ts'
import { holdBucketById } from '../index/buckets.store.ts'
import { closeIntent } from '../index/intents.store.ts'
import type { Segment } from '../index/segment.ts'
import { insertSegment } from '../index/segments.store.ts'
import type { Bucket } from '../object.ts'
import { account, type Ledger } from '../quota/account.ts'
import type { Counted } from '../quota/scopes.ts'
import { checkDirectory } from './check-directory.ts'
import { giveUp } from './give-up.ts'
import type { WrittenBody } from './write-body.ts'

type Step<T> = Generator<Statement, T, Row[]>

/**
 * Makes a written body count: in one transaction the open intent goes, the segments come, and `act` states what they are for.
 * @param act the caller's own rows, and what of them counts against quotas; what it throws undoes all
 * The intent is taken away and the bucket held, so no more than a snapshot is needed for them; `act` says what it needs.
 * @param find what `act` would have returned, when the commit's outcome was lost on the way back
 * @throws commit.lost when the sweeper was quicker, object.conflict or key.retired when the bucket's policy or key changed meanwhile,
 *   directory.older when another gateway knows newer providers, commit.uncertain when even asking again brings no answer
 */
export async function commitBody<T>(
  ground: Ground,
  bucket: Bucket,
  written: WrittenBody,
  act: (ledger: Ledger, counted: Counted) => Step<T>,
  find: () => Step<T | undefined>,
  isolation?: 'serializable' | 'snapshot',
): Promise<T> {
  const used = new Set(written.segments.flatMap((segment) => segment.names))
  try {
    const judged = checkHolders(ground, bucket.policy, written.segments)
    const commit = function* (ledger: Ledger) {
      const current = yield* holdBucketById(bucket.id)
      if (!current) throw storageError('bucket.missing', { bucket: bucket.name })
      if (current.policyEpoch !== bucket.policyEpoch) throw storageError('object.conflict', { key: bucket.name })
      if (written.segments.some(({ epoch }) => epoch < current.keyFloor)) throw storageError('key.retired')
      yield* checkDirectory(judged)
      const open = yield* closeIntent(written.body, used, ground.clock.now() + ground.limits.strayMs)
      if (!open) throw storageError('commit.lost')
      for (const segment of written.segments) yield* insertSegment(segment)
      return yield* act(ledger, current)
    }
    return await ground.spans.within('commit', () => account(ground, commit, isolation))
  } catch (error) {
    const open = await giveUp(ground, written.body)
    if (!hasCode(error, 'database.uncertain')) throw error
    // The intent decides: still open means that the commit did not happen, and now never will.
    if (open === true) throw storageError('commit.lost', {}, error)
    if (open === undefined) throw storageError('commit.uncertain', {}, error)
    const found = await ground.index.read(find)
    if (found === undefined) throw storageError('commit.lost', {}, error)
    return found
  }
}

/** The directory may have changed while the bytes were on their way. @returns the version by which the holders are good */
export function checkHolders(ground: Ground, policy: Policy, segments: readonly Segment[]): number {
  const directory = ground.directory()
  const eligible = new Set(judge(directory, policy).eligible.map((provider) => provider.id))
  for (const segment of segments) {
    for (const holder of segment.holders) if (!eligible.has(holder)) throw storageError('commit.lost')
  }
  return directory.version
}
