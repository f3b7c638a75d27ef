/** Facts, stated in the transaction of whoever brings them about, sealed into a log that proves itself, read by cursor. */
export type { Entry } from './entry.ts'
export { advanceCursor, appendFact, type Fact, factsAfter, readCursor } from './fact.store.ts'
export { hideName, type Journal } from './journal.ts'
export { type KeptHead, type LogPorts, openSealedLog, type SealedLog } from './sealed-log.ts'
export { journalMigrations } from './migrations.ts'
export { type FactsOf, type Topic, topics } from './topics.ts'
