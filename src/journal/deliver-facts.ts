import type { Database } from '#kernel'
import { advanceCursor, factsAfter, readCursor } from './fact.store.ts'
import type { Entry } from './entry.ts'

/** Facts that a reader is handed at once. */
const mostAtOnce = 200

/**
 * Hands a reader the next facts, in order, and moves it on once it has done with them. One that dies in between gets the same
 * facts again: what it does must come to the same when it is done twice, for which `sequence` can serve.
 * A reader whose effects lie in the same database need not: it reads `factsAfter` and moves its cursor in one transaction.
 * @returns `more` when there may be more to hand over at once
 */
export async function deliverFacts(
  { database }: { database: Database },
  { reader, act, limit = mostAtOnce }: { reader: string; act(facts: readonly Entry[]): Promise<void>; limit?: number },
): Promise<'more' | 'idle'> {
  const facts = await database.read(function* () {
    return yield* factsAfter(yield* readCursor(reader), limit)
  })
  const last = facts.at(-1)
  if (!last) return 'idle'
  await act(facts)
  await database.transact(() => advanceCursor(reader, last.sequence))
  return facts.length === limit ? 'more' : 'idle'
}
