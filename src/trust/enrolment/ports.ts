import type { Journal } from '#journal'
import type { Clock, Database, Random, Row, Statement } from '#kernel'

/** What enrolment stands on. */
export type EnrolmentPorts = {
  database: Database
  clock: Clock
  random: Random
  journal: Journal
  /**
   * States anew who belongs to the federation, in the transaction that has changed it: whatever was committed is in a signed
   * directory. It throws when what it would state is not fit to be believed, and then nothing has changed.
   */
  state(now: number): Generator<Statement, void, Row[]>
}
