import { type Migration, type Row, type Statement, sql } from '#kernel'
import type { WrappedByRoot } from './root-key.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** The keys of one epoch of a scope (a bucket, or a class of packs), wrapped by the root key. */
export type WrappedEpoch = WrappedByRoot & { epoch: number }

/** The key store has a database of its own: a backup of the index must not open anything. */
export const keyMigrations: Migration[] = [
  {
    id: 1,
    name: 'bucket epoch keys',
    statements: [
      `CREATE TABLE epoch_keys (bucket {text} NOT NULL, epoch {int} NOT NULL, wrapped {blob} NOT NULL,
        PRIMARY KEY (bucket, epoch)) {clustered}`,
    ],
  },
  {
    id: 2,
    name: 'names of root keys',
    statements: [
      `ALTER TABLE epoch_keys ADD COLUMN root {text} NOT NULL DEFAULT ''`,
      'CREATE INDEX epoch_keys_by_root ON epoch_keys (root)',
    ],
  },
  {
    id: 3,
    name: 'age of epochs',
    expands: true,
    statements: ['ALTER TABLE epoch_keys ADD COLUMN created_at {int} NOT NULL DEFAULT 0'],
    down: ['ALTER TABLE epoch_keys DROP COLUMN created_at'],
  },
]

export function* findNewestEpoch(scope: string): Step<WrappedEpoch | undefined> {
  const [row] =
    yield sql`SELECT epoch, wrapped, root FROM epoch_keys WHERE bucket = ${scope} ORDER BY epoch DESC LIMIT 1`
  return row as WrappedEpoch | undefined
}

export function* findEpoch(scope: string, epoch: number): Step<WrappedEpoch | undefined> {
  const [row] = yield sql`SELECT epoch, wrapped, root FROM epoch_keys WHERE bucket = ${scope} AND epoch = ${epoch}`
  return row as WrappedEpoch | undefined
}

/**
 * Keeps a scope's next epoch unless somebody else was quicker.
 * @param now milliseconds since 1970 UTC
 * @returns the newest there is: of two at the same time, one wins
 */
export function* keepEpoch(
  scope: string,
  { epoch, root, wrapped }: WrappedEpoch,
  now: number,
): Step<WrappedEpoch | undefined> {
  yield sql`INSERT INTO epoch_keys (bucket, epoch, wrapped, root, created_at)
    VALUES (${scope}, ${epoch}, ${wrapped}, ${root}, ${now}) ON CONFLICT (bucket, epoch) DO NOTHING`
  return yield* findNewestEpoch(scope)
}

/**
 * Destroys the keys of the epochs below one. They are written over before they go, so that the page where they lay does
 * not keep them.
 * @returns how many there were
 */
export function* destroyEpochs(scope: string, below: number): Step<number> {
  const nothing = new Uint8Array(64)
  const rows =
    yield sql`UPDATE epoch_keys SET wrapped = ${nothing} WHERE bucket = ${scope} AND epoch < ${below} RETURNING epoch`
  yield sql`DELETE FROM epoch_keys WHERE bucket = ${scope} AND epoch < ${below}`
  return rows.length
}

export type EpochPlace = { scope: string; epoch: number }

/** Epochs that are not wrapped by this root key, at most `limit`. */
export function* epochsNotUnder(root: string, limit: number): Step<(WrappedEpoch & EpochPlace)[]> {
  const rows = yield sql`SELECT bucket AS scope, epoch, wrapped, root FROM epoch_keys
    WHERE root < ${root} OR root > ${root} ORDER BY bucket, epoch LIMIT ${limit}`
  return rows as unknown as (WrappedEpoch & EpochPlace)[]
}

/** Puts a key wrapped anew in place, if it is still wrapped as it was. @returns whether it was */
export function* replaceWrapped(place: EpochPlace, from: WrappedByRoot, to: WrappedByRoot): Step<boolean> {
  const rows = yield sql`UPDATE epoch_keys SET wrapped = ${to.wrapped}, root = ${to.root}
    WHERE bucket = ${place.scope} AND epoch = ${place.epoch} AND root = ${from.root} RETURNING epoch`
  return rows.length === 1
}

/** How many epochs each root key wraps: one that wraps none is needed no more. */
export function* countByRoot(): Step<{ root: string; epochs: number }[]> {
  const rows = yield sql`SELECT root, COUNT(*) AS n FROM epoch_keys GROUP BY root ORDER BY root`
  return rows.map((row) => ({ root: row.root as string, epochs: Number(row.n) }))
}

/** An epoch whose keys there are. `since` is 0 for one of before this was noted. */
export type EpochAge = { epoch: number; since: number }

/** The epochs of a scope that still have a key, ascending. */
export function* epochsOf(scope: string): Step<EpochAge[]> {
  const rows = yield sql`SELECT epoch, created_at FROM epoch_keys WHERE bucket = ${scope} ORDER BY epoch`
  return rows.map((row) => ({ epoch: row.epoch as number, since: row.created_at as number }))
}

/** An epoch with its keys, wrapped, as a copy of the key store holds it. */
export type KeptEpoch = WrappedEpoch & EpochPlace & { since: number }

/** A page of everything in the key store, behind a place. */
export function* keptEpochs(after: EpochPlace, limit: number): Step<KeptEpoch[]> {
  const rows = yield sql`SELECT bucket AS scope, epoch, wrapped, root, created_at AS since FROM epoch_keys
    WHERE (bucket, epoch) > (${after.scope}, ${after.epoch}) ORDER BY bucket, epoch LIMIT ${limit}`
  return rows as unknown as KeptEpoch[]
}

/** Puts an epoch back, as it was, into a key store that does not have it. */
export function* putEpoch({ scope, epoch, wrapped, root, since }: KeptEpoch): Step<void> {
  yield sql`INSERT INTO epoch_keys (bucket, epoch, wrapped, root, created_at)
    VALUES (${scope}, ${epoch}, ${wrapped}, ${root}, ${since}) ON CONFLICT (bucket, epoch) DO NOTHING`
}
