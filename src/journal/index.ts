/**
 * Facts, stated in the transaction of whoever brings them about, sealed into a log that proves itself, read by cursor;
 * and answers, given once per wish.
 */
export { journalError } from './errors.ts'
export {
  answerMigrations,
  type Claim,
  claimAnswer,
  type Claimed,
  countAnswers,
  dropClaim,
  forgetAnswers,
  keepAnswer,
  once,
  renewClaim,
} from './answer.store.ts'
export { type LogCheck, openLogCheck, type SeenEntry } from './check-log.ts'
export { deliverFacts } from './deliver-facts.ts'
export type { Entry } from './entry.ts'
export { advanceCursor, appendFact, type Fact, factsAfter, readCursor } from './fact.store.ts'
export { type LogKey, parseHead } from './head.ts'
export { hideName, type Journal } from './journal.ts'
export { listHeads, listLog, showLog } from './list-log.ts'
export { journalMigrations } from './migrations.ts'
export { type Check, checkProof, keyOfShown, type LogProof, proofText, shownKey, type ShownKey } from './proof.ts'
export { proveEntry } from './prove-entry.ts'
export { type KeptHead, type LogPorts, openSealedLog, type SealedLog } from './sealed-log.ts'
export { type FactsOf, type Topic, topics } from './topics.ts'
export { openAnswer, sealAnswer } from './seal-answer.ts'
