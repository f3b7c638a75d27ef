import { appendFact, type Fact, type FactsOf, type Journal, type SealedLog, type Topic } from '#journal'
import type { Clock, Database, Log } from '#kernel'
import type { JobKind } from '#work'

/** The log of a role, and what it stands on. */
export type RoleLog = { index: Database; clock: Clock; log: Log; journal: Journal; sealedLog: SealedLog }
/** Who writes: the name of the process, its role, and the program's version. */
export type RoleName = { id: string; role: FactsOf<'role.started'>['role']; version: string }

const sealEveryMs = 5000

/** Gives what was stated its place in the log; one process at a time, so that they do not meet. */
export function sealLog(sealedLog: SealedLog): JobKind {
  return {
    name: 'journal.seal',
    everyMs: sealEveryMs,
    mend: 'Look at the log: pelago log verify',
    async step() {
      const next = (await sealedLog.seal()) === 'more' ? 'more' : 'rest'
      return { next, says: next === 'more' ? 'More was stated than is sealed.' : 'What was stated is sealed.' }
    },
  }
}

/** Puts the start of a role into its log, before it serves anybody. */
export async function logStart(
  { index, clock, journal, sealedLog }: RoleLog,
  { id, role, version }: RoleName,
): Promise<void> {
  const at = clock.now()
  await index.transact(() =>
    appendFact(journal, {
      topic: 'role.started',
      about: id,
      actor: 'system',
      tenant: '',
      at,
      facts: { role, version },
    }),
  )
  await sealedLog.seal()
}

/** Puts the end of a role into its log and signs the last head. What cannot be written any more is written at the next start. */
export async function logStop(
  { index, clock, log, journal, sealedLog }: RoleLog,
  { id, role }: RoleName,
): Promise<void> {
  const at = clock.now()
  try {
    await index.transact(() =>
      appendFact(journal, { topic: 'role.stopped', about: id, actor: 'system', tenant: '', at, facts: { role } }),
    )
    await sealedLog.stop()
  } catch (error) {
    log('warn', 'log.unsealed', { reason: error instanceof Error ? error.message : String(error) })
  }
}

type Stated<T extends Topic> = Omit<Fact<T>, 'at' | 'tenant'>

/** Puts an act of a role into its log that changes nothing in its database. */
export async function logAct<T extends Topic>(
  { index, clock, journal }: Pick<RoleLog, 'index' | 'clock' | 'journal'>,
  act: Stated<T>,
): Promise<void> {
  const at = clock.now()
  await index.transact(() => appendFact<T>(journal, { ...act, tenant: '', at }))
}
