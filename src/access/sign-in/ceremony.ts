import type { Json, Row, Statement } from '#kernel'
import { type Ceremony, type Purpose, takeCeremony } from './ceremonies.store.ts'
import { countAttempt, type AttemptLimit } from './attempts.store.ts'
import { signInError } from './errors.ts'
import type { SignInPorts } from './ports.ts'
import { hashOf } from './secrets.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** How long something begun may wait for its end. */
export const ceremonyMs = 5 * 60_000

/** Beginning things costs room; this is far more than people need, for one address. */
export const beginLimit: AttemptLimit = { most: 600, withinMs: 10 * 60_000 }

/**
 * Takes what was begun out of the table: whatever comes of it, nobody finishes it again. It must commit before the answer is
 * judged.
 * @throws ceremony.missing, ceremony.expired, ceremony.foreign
 */
export async function takeBegun<D extends Json>(
  { database, clock }: Pick<SignInPorts, 'database' | 'clock'>,
  of: { tenant: string; purpose: Purpose; secret: string; person?: string },
): Promise<Ceremony<D>> {
  const taken = await database.transact(() => takeCeremony(of.tenant, hashOf(of.secret)))
  if (!taken) throw signInError('ceremony.missing')
  if (taken.purpose !== of.purpose || taken.person !== of.person)
    throw signInError('ceremony.foreign', { purpose: taken.purpose })
  if (taken.expiresAt <= clock.now()) throw signInError('ceremony.expired', { minutes: ceremonyMs / 60_000 })
  return taken as Ceremony<D>
}

/** Counts an attempt, durably, before what was attempted is looked at. @throws attempts.spent */
export async function spendAttempt(
  { database, clock }: Pick<SignInPorts, 'database' | 'clock'>,
  subject: string,
  limit: AttemptLimit,
): Promise<void> {
  const now = clock.now()
  const waitMs = await database.transact((): Step<number> => countAttempt(subject, now, limit))
  if (waitMs > 0) throw signInError('attempts.spent', { seconds: Math.ceil(waitMs / 1000) })
}
