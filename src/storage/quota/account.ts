import { compareBytes, type Isolation, type Row, type Statement } from '#kernel'
import { storageError } from '../errors.ts'
import { freshName, type Ground } from '../ground.ts'
import {
  addTaken,
  type Amount,
  findLease,
  findQuota,
  insertLease,
  type Lease,
  negative,
  type Quota,
  saveLease,
  sum,
  takeBack,
  takeQuota,
} from '../index/quotas.store.ts'
import { exceeded, roomOf } from './room.ts'
import { type Counted, type Scope, scopesOf } from './scopes.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** Something comes, or goes where the amount is negative. */
export type Change = Amount & { place: Uint8Array }

/** What one transaction does to the quotas of what it writes. */
export type Ledger = {
  /**
   * Counts changes to a bucket that is held, all or none of them. What comes and goes at the same time counts as the difference.
   * @throws quota.exceeded
   */
  add(bucket: Counted, changes: readonly Change[]): Step<void>
}

/** One quota as this transaction sees it. */
type Account = {
  scope: string
  /** While it is being counted: up to where. Then the quota itself is drawn from, else a lease. */
  countedTo: Uint8Array | undefined
  lease: Lease | undefined
  fresh: boolean
  /** What may still be drawn. */
  left: Amount
  /** What was drawn from the quota itself and is still to be written. */
  direct: Amount
  changed: boolean
}

const nothing: Amount = { bytes: 0, objects: 0 }

/**
 * Runs a transaction whose writes count against quotas. It draws from leases of this gateway, whose rows are written in the
 * same transaction: what is stored, what leases hold and what is left of a quota change together or not at all, so it does not
 * matter where a gateway dies or who learns of the commit. A lease that was taken back meanwhile is not found, and another one
 * is taken in the same transaction. Of two transactions that meet at a row one is run again.
 * @param isolation never `committed`: what is read of quotas must not change until it is written
 */
export async function account<T>(
  ground: Ground,
  body: (ledger: Ledger) => Step<T>,
  isolation: Exclude<Isolation, 'committed'> = 'serializable',
): Promise<T> {
  /** Leases that this transaction uses and nobody else at the same time, however often its body is run. */
  const mine = new Map<string, Lease | undefined>()
  let kept: Lease[] = []
  try {
    const { value, after } = await ground.index.transact(function* () {
      const accounts = new Map<string, Account>()
      const value = yield* body(openLedger(ground, accounts, mine))
      return { value, after: yield* close(accounts) }
    }, isolation)
    kept = after
    return value
  } finally {
    // Whatever came of it: what a lease has left is looked up by whoever uses it next.
    const known = new Set(kept.map(({ id }) => id))
    for (const lease of mine.values()) if (lease && !known.has(lease.id)) ground.leases.keep(lease)
    for (const lease of kept) ground.leases.keep(lease)
  }
}

function openLedger(ground: Ground, accounts: Map<string, Account>, mine: Map<string, Lease | undefined>): Ledger {
  function* accountOf(scope: Scope): Step<Account> {
    const known = accounts.get(scope.id)
    if (known) return known
    const common = { scope: scope.id, fresh: false, direct: nothing, changed: false }
    let opened: Account
    if (scope.counting) {
      const quota = yield* takeQuota(scope.id)
      opened = { ...common, countedTo: quota?.countedTo, lease: undefined, left: quota ? roomOf(quota) : nothing }
    } else {
      if (!mine.has(scope.id)) mine.set(scope.id, ground.leases.take(scope.id))
      const lease = mine.get(scope.id)
      const left = lease && (yield* findLease(lease.id))
      // What was taken back never comes again.
      if (!left) mine.set(scope.id, undefined)
      opened = { ...common, countedTo: undefined, lease: left && lease, left: left ?? nothing }
    }
    accounts.set(scope.id, opened)
    return opened
  }
  return {
    *add(bucket, changes) {
      const draws: { from: Account; amount: Amount }[] = []
      for (const scope of scopesOf(bucket)) {
        const from = yield* accountOf(scope)
        const { countedTo } = from
        const counted = changes.filter(({ place }) => !countedTo || compareBytes(place, countedTo) <= 0)
        const amount = counted.reduce<Amount>(sum, nothing)
        if (!covers(from.left, amount) || (!countedTo && !from.lease)) yield* refill(ground, from, amount)
        draws.push({ from, amount })
      }
      for (const { from, amount } of draws) yield* draw(from, amount)
    },
  }
}

const covers = (left: Amount, { bytes, objects }: Amount) =>
  (bytes <= 0 || bytes <= left.bytes) && (objects <= 0 || objects <= left.objects)

function* draw(from: Account, amount: Amount): Step<void> {
  // Given back to a quota that is exceeded.
  if (!from.countedTo && !from.lease) return yield* addTaken(from.scope, amount)
  from.changed = true
  from.left = sum(from.left, negative(amount))
  if (from.countedTo) from.direct = sum(from.direct, amount)
}

/**
 * Makes room for an amount: out of what is left of the quota, and if that is not enough, out of what others hold of it and do
 * not use. So nothing is refused that fits.
 * @throws quota.exceeded
 */
function* refill(ground: Ground, from: Account, amount: Amount): Step<void> {
  const quota = yield* findQuota(from.scope)
  // Its bucket is held and says that there is one.
  if (!quota) throw storageError('object.conflict', { key: from.scope })
  if (from.countedTo) throw exceeded(quota, amount)
  const missing = { bytes: amount.bytes - from.left.bytes, objects: amount.objects - from.left.objects }
  let room = roomOf(quota)
  let back = nothing
  if (!covers(room, missing)) {
    back = yield* takeBack(from.scope, from.lease?.id)
    room = roomOf({ ...quota, taken: sum(quota.taken, negative(back)) })
    if (!covers(room, missing)) {
      yield* addTaken(from.scope, negative(back))
      throw exceeded(quota, amount)
    }
  }
  // What goes out of a quota that is exceeded, since its limit became smaller, is not to be stored again out of a lease.
  if (isExceeded(quota) && !from.lease) return
  const granted = grantOf(ground, room, missing)
  yield* addTaken(from.scope, sum(granted, negative(back)))
  from.left = sum(from.left, granted)
  from.changed = true
  if (from.lease) return
  const { leaseMs } = ground.limits
  from.lease = { id: freshName(ground), scope: from.scope, ...granted, expiresAt: ground.clock.now() + leaseMs }
  from.fresh = true
}

/** What is missing, and some of what is left besides: the less, the nearer the quota is to its end. */
function grantOf({ limits }: Ground, room: Amount, missing: Amount): Amount {
  const grant = (left: number, wanted: number, most: number) => {
    const needed = Math.max(0, wanted)
    return needed + Math.min(most, Math.floor((left - needed) / leasesPerQuota))
  }
  return {
    bytes: grant(room.bytes, missing.bytes, limits.leaseBytes),
    objects: grant(room.objects, missing.objects, limits.leaseObjects),
  }
}
/** A lease is no larger than this part of what is left. */
const leasesPerQuota = 32

const isExceeded = ({ taken, bytesLimit, objectsLimit }: Quota) =>
  taken.bytes > (bytesLimit ?? taken.bytes) || taken.objects > (objectsLimit ?? taken.objects)

/** Writes down what was drawn. @returns the leases that there are when it is committed */
function* close(accounts: ReadonlyMap<string, Account>): Step<Lease[]> {
  const kept: Lease[] = []
  for (const { scope, lease, fresh, left, direct, changed } of accounts.values()) {
    if (!changed) continue
    if (direct.bytes !== 0 || direct.objects !== 0) yield* addTaken(scope, direct)
    if (!lease) continue
    const now = { ...lease, ...left }
    if (fresh) yield* insertLease(now)
    else yield* saveLease(lease.id, left)
    kept.push(now)
  }
  return kept
}
