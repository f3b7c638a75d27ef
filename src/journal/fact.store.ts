import { createHash } from 'node:crypto'
import { canonicalJson, type Json, type Migration, type Row, type Statement, sql } from '#kernel'

type Step<T> = Generator<Statement, T, Row[]>

/** Something that happened, stated once and never changed. `about` is what it is about, `facts` hold no secret. */
export type Fact = { topic: string; about: string; at: number; facts: Record<string, Json> }
/** A fact in the chain: each hash covers the one before, so that no entry can be taken out or changed unseen. */
export type Entry = Fact & { sequence: number; hash: string }

export const journalMigrations: Migration[] = [
  {
    id: 1,
    name: 'journal',
    statements: [
      `CREATE TABLE journal (sequence {int} NOT NULL PRIMARY KEY, topic {text} NOT NULL, about {text} NOT NULL, at {int} NOT NULL,
        facts {text} NOT NULL, hash {text} NOT NULL)`,
      'CREATE TABLE journal_cursors (reader {text} NOT NULL PRIMARY KEY, sequence {int} NOT NULL)',
    ],
  },
]

const firstHash = '0'.repeat(64)

/** States a fact in the transaction of whoever brings it about: both are there, or neither. */
export function* appendFact(fact: Fact): Step<Entry> {
  const [last] = yield sql`SELECT sequence, hash FROM journal ORDER BY sequence DESC LIMIT 1`
  const sequence = Number(last?.sequence ?? 0) + 1
  const entry = { ...fact, sequence, hash: hashOf((last?.hash as string | undefined) ?? firstHash, sequence, fact) }
  yield sql`INSERT INTO journal (sequence, topic, about, at, facts, hash)
    VALUES (${sequence}, ${fact.topic}, ${fact.about}, ${fact.at}, ${JSON.stringify(fact.facts)}, ${entry.hash})`
  return entry
}

/** Facts behind a place in the chain, in order. */
export function* factsAfter(sequence: number, limit: number): Step<Entry[]> {
  const rows = yield sql`SELECT * FROM journal WHERE sequence > ${sequence} ORDER BY sequence LIMIT ${limit}`
  return rows.map(entryOf)
}

/** How far a reader has come; 0 at the start. */
export function* readCursor(reader: string): Step<number> {
  const [row] = yield sql`SELECT sequence FROM journal_cursors WHERE reader = ${reader}`
  return Number(row?.sequence ?? 0)
}

/** Moves a reader on, in the transaction of what it did with the facts. It never goes back. */
export function* advanceCursor(reader: string, sequence: number): Step<void> {
  yield sql`INSERT INTO journal_cursors (reader, sequence) VALUES (${reader}, ${sequence})
    ON CONFLICT (reader) DO UPDATE SET sequence = ${sequence} WHERE journal_cursors.sequence < ${sequence}`
}

/** @returns the sequence of the first entry that does not follow from those before; undefined when the chain is whole */
export function brokenAt(
  entries: readonly Entry[],
  before: { sequence: number; hash: string } | undefined,
): number | undefined {
  let { sequence, hash } = before ?? { sequence: 0, hash: firstHash }
  for (const { sequence: found, hash: stated, ...fact } of entries) {
    sequence++
    hash = hashOf(hash, sequence, fact)
    if (found !== sequence || stated !== hash) return sequence
  }
  return undefined
}

function hashOf(before: string, sequence: number, { topic, about, at, facts }: Fact): string {
  return createHash('sha256').update(canonicalJson({ before, sequence, topic, about, at, facts })).digest('hex')
}

function entryOf(row: Row): Entry {
  return {
    sequence: row.sequence as number,
    topic: row.topic as string,
    about: row.about as string,
    at: row.at as number,
    facts: JSON.parse(row.facts as string) as Record<string, Json>,
    hash: row.hash as string,
  }
}
