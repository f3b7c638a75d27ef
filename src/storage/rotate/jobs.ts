import { createHash } from 'node:crypto'
import { appendFact } from '#journal'
import { checkFence, type JobKind } from '#work'
import type { Ground } from '../ground.ts'
import { rewrapRound } from './rewrap-round.ts'

const mend = 'Look whether the root key answers: pelago key list --root'

/** What keys ask for by themselves: wrapping anew what a rotation has left under older ones. */
export function rotationJobs(ground: Ground): JobKind[] {
  const everyMs = ground.limits.roundMs
  return [
    {
      name: 'storage.rewrap',
      everyMs,
      mend,
      async step(job, fence, signal) {
        const found = await rewrapRound(ground, () => checkFence(fence), signal)
        if (!found) return { next: 'rest', says: job.says || 'No key is on its way to a new epoch.' }
        const done = job.done + found.moved
        const says = `${done} keys were wrapped by a new epoch without writing data anew.`
        return { next: found.more ? 'more' : 'rest', done, says }
      },
    },
    {
      // The key store is another database, whose rows are compared and swapped: it needs no fence.
      name: 'storage.root',
      everyMs,
      mend,
      async step(job) {
        const { moved, more } = await ground.keys.rewrapRoots()
        if (moved === 0) return { next: 'rest', says: job.says || 'Every epoch is under the newest root key.' }
        const done = job.done + moved
        if (!more) await stateRoot(ground)
        return { next: more ? 'more' : 'rest', done, says: `${done} epochs were wrapped by the newest root key.` }
      },
    },
  ]
}

/** Says in the log that everything is under another root key: by the hash of its name, which for transit is a short one. */
async function stateRoot(ground: Ground): Promise<void> {
  const { newest, counts } = await ground.keys.roots()
  const about = createHash('sha256').update(newest).digest('hex')
  const facts = { epochs: counts.find(({ root }) => root === newest)?.epochs ?? 0 }
  const at = ground.clock.now()
  await ground.index.transact(() =>
    appendFact(ground.journal, { topic: 'root.taken', about, actor: 'system', tenant: '', at, facts }),
  )
}
