import { type Migration, type Row, type Statement, sql } from '#kernel'

type Step<T> = Generator<Statement, T, Row[]>

/** A bucket's keys of one epoch, wrapped by the root key. */
export type WrappedEpoch = { epoch: number; wrapped: Uint8Array }

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
]

/** Keeps a bucket's first epoch unless it has one. @returns the newest there is: of two first uses at the same time, one wins */
export function* keepFirstEpoch(bucket: string, wrapped: Uint8Array): Step<WrappedEpoch | undefined> {
  yield sql`INSERT INTO epoch_keys (bucket, epoch, wrapped) VALUES (${bucket}, 1, ${wrapped}) ON CONFLICT (bucket, epoch) DO NOTHING`
  const [row] = yield sql`SELECT epoch, wrapped FROM epoch_keys WHERE bucket = ${bucket} ORDER BY epoch DESC LIMIT 1`
  return row as WrappedEpoch | undefined
}

export function* findEpoch(bucket: string, epoch: number): Step<WrappedEpoch | undefined> {
  const [row] = yield sql`SELECT epoch, wrapped FROM epoch_keys WHERE bucket = ${bucket} AND epoch = ${epoch}`
  return row as WrappedEpoch | undefined
}
