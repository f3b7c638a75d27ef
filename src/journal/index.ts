/** Facts, appended in the transaction of whoever states them, chained by hash, read by cursor. */
export {
  advanceCursor,
  appendFact,
  brokenAt,
  type Entry,
  type Fact,
  factsAfter,
  journalMigrations,
  readCursor,
} from './fact.store.ts'
