import type { Clock } from '#kernel'
import type { JobKind } from './job.ts'
import { forgetJobs } from './job.store.ts'

const everyMs = 10 * 60 * 1000
/** How long jobs that are over can still be looked at, and how many of them. */
const keptMs = 30 * 24 * 60 * 60 * 1000
const keptMost = 10_000
const atOnce = 500

/** Lasting work of this plane itself: what is over is forgotten some day. */
export function tidyJobs({ clock }: { clock: Clock }): JobKind {
  return {
    name: 'work.tidy',
    everyMs,
    mend: 'Look at why the database refuses.',
    step: async ({ done }) => {
      const before = clock.now() - keptMs
      return function* () {
        const forgotten = yield* forgetJobs(before, keptMost, atOnce)
        return {
          next: forgotten === atOnce ? 'more' : 'rest',
          done: done + forgotten,
          says: `${done + forgotten} jobs that ended long ago were forgotten.`,
        }
      }
    },
  }
}
