import { createHash } from 'node:crypto'
import { appendFact, type FactsOf, type Journal, type Topic } from '#journal'
import type { Call, Clock, Database, Random, Row, Statement } from '#kernel'
import type { Keyring } from '../secrets/keyring.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** What acts on tenants, people, keys and policies stand on. */
export type AccessPorts = {
  /** Needs `accessMigrations` and the journal's. */
  database: Database
  clock: Clock
  random: Random
  journal: Journal
  keyring: Keyring
  /** Told after something was changed, so that this process obeys it at once. */
  changed(): void
}

export type Who = Pick<Call, 'actor' | 'tenant'>

/** Does one act in one transaction, and says in this process that something has changed. */
export async function act<T>(ports: AccessPorts, body: () => Step<T>): Promise<T> {
  const result = await ports.database.transact(body)
  ports.changed()
  return result
}

/** States what was done, in its transaction. */
export function state<T extends Topic>(
  { journal, clock }: Pick<AccessPorts, 'journal' | 'clock'>,
  { actor, tenant }: Who,
  topic: T,
  about: string,
  facts: FactsOf<T>,
): Step<void> {
  return appendFact<T>(journal, { topic, about, actor, tenant, at: clock.now(), facts })
}

/** A name nobody has used and nobody can guess: 128 random bits in hex. */
export function freshId({ random }: Pick<AccessPorts, 'random'>): string {
  return Buffer.from(random.bytes(16)).toString('hex')
}

export const digestOf = (text: string) => createHash('sha256').update(text).digest('hex')
