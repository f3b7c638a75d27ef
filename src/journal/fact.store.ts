import { canonicalJson, type Row, type Statement, sql } from '#kernel'
import type { Entry, Stated } from './entry.ts'
import { hideName, hidePerson, hideTenant, type Journal } from './journal.ts'
import { admit, type FactsOf, type Topic } from './topics.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** Something that happened, stated once and never changed. Which facts belong to a topic is in the table of topics. */
export type Fact<T extends Topic = Topic> = {
  topic: T
  about: string
  /** Who did it, and for whom; whatever is not an opaque identifier is hidden. */
  actor: string
  tenant: string
  /** Milliseconds since 1970 UTC. */
  at: number
  facts: FactsOf<T>
}

/**
 * States a fact in the transaction of whoever brings it about: both are there, or neither. It waits without touching what
 * others state at the same time, and gets its place in the log within seconds, behind all that was committed before.
 * @throws fact.unfit when the table of topics does not have it like this
 */
export function* appendFact<T extends Topic>(journal: Journal, fact: Fact<T>): Step<void> {
  const { topic, actor, tenant, at } = fact
  const admitted = admit(topic, fact.about, fact.facts, (name) => hideName(journal, tenant, name))
  const stated: Stated = {
    ...{ topic, at, ...admitted },
    actor: hidePerson(journal, tenant, actor),
    tenant: hideTenant(journal, tenant),
  }
  yield sql`INSERT INTO log_pending (body) VALUES (${canonicalJson(stated)})`
}

/** Facts behind a place in the log, in order. */
export function* factsAfter(sequence: number, limit: number): Step<Entry[]> {
  const rows = yield sql`SELECT body FROM log_entries WHERE sequence > ${sequence} ORDER BY sequence LIMIT ${limit}`
  return rows.map((row) => JSON.parse(row.body as string) as Entry)
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
