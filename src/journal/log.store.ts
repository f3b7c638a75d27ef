import { type Row, type Statement, sql } from '#kernel'
import { type Entry, entryText, firstBefore, type Stated } from './entry.ts'
import { journalError } from './errors.ts'
import { type LogKey, parseHead, type SignedHead, signHead, type SigningKey } from './head.ts'
import { type Asking, grow, leafHash, type Place, rangeHash } from './merkle.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** A key as the database has it: `secret` names what it is made of in the key store. */
export type KeptKey = LogKey & { secret: string }

/** Nodes of the tree out of the database: each costs one read by primary key. */
export function* fromTree<T>(asking: Asking<T>): Step<T> {
  let step = asking.next()
  while (!step.done) step = asking.next(yield* nodeAt(step.value))
  return step.value
}

function* nodeAt({ level, index }: Place): Step<Uint8Array> {
  const [row] =
    level === 0
      ? yield sql`SELECT hash FROM log_entries WHERE sequence = ${index + 1}`
      : yield sql`SELECT hash FROM log_nodes WHERE level = ${level} AND place = ${index}`
  if (!row) throw journalError('log.damaged', { reason: `node ${index} of level ${level} is missing` })
  return row.hash as Uint8Array
}

export function* logSize(): Step<number> {
  const [row] = yield sql`SELECT COALESCE(MAX(sequence), 0) AS size FROM log_entries`
  return Number(row?.size)
}

export const rootAt = (size: number): Step<Uint8Array> => fromTree(rangeHash(0, size))

/** The newest head; undefined before the first. */
export function* lastHead(): Step<SignedHead | undefined> {
  const [row] = yield sql`SELECT note FROM log_heads ORDER BY size DESC LIMIT 1`
  return row && readHead(row.note as string)
}

export function* headAt(size: number): Step<SignedHead | undefined> {
  const [row] = yield sql`SELECT note FROM log_heads WHERE size = ${size}`
  return row && readHead(row.note as string)
}

/** The earliest head of a log that has not another name by now. */
export function* firstHeadSince(size: number): Step<SignedHead | undefined> {
  const [row] = yield sql`SELECT note FROM log_heads WHERE size > ${size} ORDER BY size LIMIT 1`
  return row && readHead(row.note as string)
}

function readHead(note: string): SignedHead {
  const head = parseHead(note)
  if (!head) throw journalError('log.damaged', { reason: 'a signed head cannot be read' })
  return head
}

/** Signed heads of more than `size` entries, as notes, in order. */
export function* headsAfter(size: number, limit: number): Step<{ size: number; note: string }[]> {
  const rows = yield sql`SELECT size, note FROM log_heads WHERE size > ${size} ORDER BY size LIMIT ${limit}`
  return rows as { size: number; note: string }[]
}

/** All keys of the log, in order. */
export function* logKeys(): Step<KeptKey[]> {
  const rows = yield sql`SELECT generation, log, public, since, endorsement, secret FROM log_keys ORDER BY generation`
  return rows as KeptKey[]
}

export function* lastKey(): Step<KeptKey | undefined> {
  const rows =
    yield sql`SELECT generation, log, public, since, endorsement, secret FROM log_keys ORDER BY generation DESC LIMIT 1`
  return rows[0] as KeptKey | undefined
}

/** @returns false when another process has made a key of that generation */
export function* insertKey(key: KeptKey): Step<boolean> {
  const { generation, log, since, endorsement, secret } = key
  const rows = yield sql`INSERT INTO log_keys (generation, log, public, since, endorsement, secret)
    VALUES (${generation}, ${log}, ${key.public}, ${since}, ${endorsement}, ${secret})
    ON CONFLICT (generation) DO NOTHING RETURNING generation`
  return rows.length > 0
}

export type LogRow = { sequence: number; tenant: string; body: string; hash: Uint8Array }

/** A page of the log, in order; `topic` alone when it is given. */
export function* entriesAfter(sequence: number, limit: number, topic?: string): Step<LogRow[]> {
  const rows =
    topic === undefined
      ? yield sql`SELECT sequence, tenant, body, hash FROM log_entries WHERE sequence > ${sequence} ORDER BY sequence LIMIT ${limit}`
      : yield sql`SELECT sequence, tenant, body, hash FROM log_entries WHERE topic = ${topic} AND sequence > ${sequence}
          ORDER BY sequence LIMIT ${limit}`
  return rows as LogRow[]
}

/** A page of what is about a hidden name. */
export function* entriesNaming(name: string, sequence: number, limit: number): Step<LogRow[]> {
  const rows =
    yield sql`SELECT e.sequence, e.tenant, e.body, e.hash FROM log_names n JOIN log_entries e ON e.sequence = n.sequence
      WHERE n.name = ${name} AND n.sequence > ${sequence} ORDER BY n.sequence LIMIT ${limit}`
  return rows as LogRow[]
}

export function* countPending(most: number): Step<number> {
  const rows = yield sql`SELECT id FROM log_pending ORDER BY id LIMIT ${most}`
  return rows.length
}

export type Sealed = { outcome: 'idle' } | { outcome: 'key' } | { outcome: 'sealed'; entries: number; head: SignedHead }

/**
 * Gives what waits its place in the log, grows the tree and signs its head, all in one transaction: there is no entry
 * without a head, and never a second head of one size. Whoever does it at the same time loses and begins anew.
 * @param most entries in one go
 * @param kept size of the greatest head that was seen; a smaller log is not gone on with
 * @returns `key` when the log is signed with another key by now
 * @throws log.older, log.damaged
 */
export function* sealPending(
  key: SigningKey,
  { now, most, kept, file }: { now: number; most: number; kept: number; file: string },
): Step<Sealed> {
  const pending = yield sql`SELECT id, body FROM log_pending ORDER BY id LIMIT ${most}`
  const last = pending.at(-1)
  if (!last) return { outcome: 'idle' }
  if ((yield* lastKey())?.generation !== key.generation) return { outcome: 'key' }
  let size = yield* logSize()
  if (size < kept) throw journalError('log.older', { size, kept, file })
  const head = yield* lastHead()
  if ((head?.size ?? 0) !== size || (head && Buffer.compare(head.root, yield* rootAt(size)) !== 0))
    throw journalError('log.damaged', { reason: `its ${size} entries are not those of the last signed head` })
  let before = size === 0 ? firstBefore : Buffer.from(yield* nodeAt({ level: 0, index: size - 1 })).toString('hex')
  for (const { body } of pending) {
    const stated = JSON.parse(body as string) as Stated
    const entry: Entry = { ...stated, sequence: size + 1, before }
    const hash = yield* insertEntry(entry)
    before = hash.toString('hex')
    size++
  }
  yield sql`DELETE FROM log_pending WHERE id <= ${last.id as number}`
  const note = signHead(key, { size, root: yield* rootAt(size), at: Math.max(now, head?.at ?? 0) })
  yield sql`INSERT INTO log_heads (size, generation, note) VALUES (${size}, ${key.generation}, ${note})`
  return { outcome: 'sealed', entries: pending.length, head: readHead(note) }
}

function* insertEntry(entry: Entry): Step<Buffer> {
  const { sequence, topic, tenant } = entry
  const body = entryText(entry)
  const hash = leafHash(body)
  const [leaf, ...parents] = yield* fromTree(grow(sequence - 1, hash))
  yield sql`INSERT INTO log_entries (sequence, topic, tenant, body, hash)
    VALUES (${sequence}, ${topic}, ${tenant}, ${body}, ${leaf?.hash ?? hash})`
  for (const node of parents) {
    yield sql`INSERT INTO log_nodes (level, place, hash) VALUES (${node.level}, ${node.index}, ${node.hash})`
  }
  for (const name of namesIn(entry)) {
    yield sql`INSERT INTO log_names (name, sequence) VALUES (${name}, ${sequence})`
  }
  return hash
}

function namesIn({ about, actor, facts }: Entry): Set<string> {
  return new Set([about, actor, ...Object.values(facts)].filter((value) => isHidden(value)))
}

const isHidden = (value: unknown): value is string => typeof value === 'string' && value.startsWith('hidden:')
