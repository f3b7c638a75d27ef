import { appendFact } from '#journal'
import type { Call, Random, Row, Statement } from '#kernel'
import { accessError } from '../errors.ts'
import type { Authenticate, Principal, RequestHead } from '../principal.ts'
import { findPersonById, getPerson, type Person } from '../records/people.store.ts'
import { findTenant } from '../records/tenants.store.ts'
import { signInError } from './errors.ts'
import type { SignInPorts, Site } from './ports.ts'
import { freshId, freshSecret, hashOf } from './secrets.ts'
import {
  deleteSession,
  endedBy,
  findSession,
  findSessionById,
  insertSession,
  isSeenLate,
  listSessions as listStored,
  noteSeen,
  type Session,
} from './sessions.store.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** A session with what its holder shows; it is told once. */
export type OpenedSession = { token: string; session: Session; person: string }

const tokenPrefix = 'pls_'
const safeMethods = new Set(['GET', 'HEAD'])

/** Draws what a new session needs, outside of the transaction that opens it. */
export const drawSession = (random: Random) => ({ token: freshSecret(random, tokenPrefix), id: freshId(random) })

/**
 * Opens a session in the transaction of whatever proved who the person is. The token is always new: one that somebody else
 * chose is never taken over.
 * @param replaced the token that the same browser had before; its session ends
 * @throws access.denied when the person or the tenant is disabled
 */
export function* openSession(
  { journal }: Pick<SignInPorts, 'journal'>,
  drawn: { token: string; id: string },
  now: number,
  of: { person: Person } & Pick<Session, 'carrier' | 'method' | 'label' | 'signOut'> & {
      replaced?: string | undefined
    },
): Step<OpenedSession> {
  const { person, carrier, method, label, signOut, replaced } = of
  const tenant = yield* findTenant(person.tenant)
  if (person.state !== 'active' || tenant?.state !== 'active')
    throw accessError('access.denied', { reason: 'the person or the tenant is disabled' })
  const session: Session = {
    ...{ token: hashOf(drawn.token), id: drawn.id, tenant: person.tenant, person: person.id },
    ...{ carrier, method, label, signOut, createdAt: now, seenAt: now },
    ...{ personEpoch: person.epoch, tenantEpoch: tenant.epoch },
  }
  if (replaced !== undefined) yield* deleteSession(hashOf(replaced))
  yield* insertSession(session)
  yield* appendFact(journal, {
    ...{ topic: 'session.opened', about: person.id, actor: person.id, tenant: person.tenant, at: now },
    facts: { session: session.id, method },
  })
  return { token: drawn.token, session, person: person.name }
}

/**
 * Knows people by their sessions: a cookie of a page, or a token that a program sends.
 * @throws session.ended, session.forged
 */
export function sessionAuthentication(ports: Pick<SignInPorts, 'database' | 'clock' | 'site'>): Authenticate {
  const { database, clock, site } = ports
  return async (head) => {
    const shown = shownToken(head, site)
    if (!shown) return undefined
    if (shown.carrier === 'cookie' && !safeMethods.has(head.method)) checkPage(head.headers, site)
    const now = clock.now()
    const hash = hashOf(shown.token)
    const { session, person, reason } = await database.read(() => standingOf(hash, shown.carrier, now))
    if (!session || !person) throw signInError('session.ended', { reason })
    if (isSeenLate(session, now)) await database.transact(() => noteSeen(hash, now))
    return {
      ...{ tenant: session.tenant, actor: person.name, roles: person.roles, kind: 'session', session: session.id },
    } satisfies Principal
  }
}

function* standingOf(
  token: string,
  carrier: Session['carrier'],
  now: number,
): Step<{ session?: Session; person?: Person; reason: string }> {
  const session = yield* findSession(token)
  if (!session || session.carrier !== carrier) return { reason: 'it was ended, or it never was' }
  const late = endedBy(session, now)
  if (late !== undefined) return { reason: late }
  const person = yield* findPersonById(session.person)
  const tenant = yield* findTenant(session.tenant)
  if (!person || person.tenant !== session.tenant || person.state !== 'active')
    return { reason: 'you are disabled here' }
  if (!tenant || tenant.state !== 'active') return { reason: 'the tenant is disabled' }
  if (person.epoch !== session.personEpoch || tenant.epoch !== session.tenantEpoch)
    return { reason: 'all sessions were ended, or your roles have changed' }
  return { session, person, reason: '' }
}

/** Whoever asks sees his own; `person` names another, which the caller has to be allowed. @throws person.missing */
export async function listSessions(ports: SignInPorts, call: Call, person?: string): Promise<Session[]> {
  const now = ports.clock.now()
  return ports.database.read(function* () {
    return yield* listStored((yield* getPerson(call.tenant, person ?? call.actor)).id, now)
  })
}

/**
 * Ends a session: one's own, or anybody's for who `mayEndAll`.
 * @throws session.missing, also for one that is somebody else's
 */
export async function endSession(
  ports: SignInPorts,
  call: Call,
  { id, mayEndAll }: { id: string; mayEndAll: boolean },
): Promise<Session> {
  const at = ports.clock.now()
  return ports.database.transact(function* () {
    const session = yield* findSessionById(call.tenant, id)
    const person = session && (yield* findPersonById(session.person))
    if (!session || (!mayEndAll && person?.name !== call.actor)) throw signInError('session.missing', { id })
    yield* deleteSession(session.token)
    yield* appendFact(ports.journal, {
      ...{
        topic: 'session.ended',
        about: session.person,
        actor: person?.name === call.actor ? session.person : call.actor,
      },
      ...{ tenant: call.tenant, at, facts: { session: id } },
    })
    return session
  })
}

/**
 * Holds that a request comes from a page of this gateway: no other page can send this header without being asked first, and
 * browsers say themselves where a request comes from. Source: Fetch standard (CORS, `Origin`, `Sec-Fetch-Site`).
 * @throws session.forged
 */
export function checkPage(headers: RequestHead['headers'], { origins }: Site): void {
  const { origin } = headers
  if (origin === undefined) throw signInError('session.forged', { reason: 'it does not say its origin' })
  if (!origins.includes(origin))
    throw signInError('session.forged', { reason: `it comes from ${origin.slice(0, 100)}` })
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin')
    throw signInError('session.forged', { reason: 'it crosses origins' })
  if (headers['x-pelago'] !== '1') throw signInError('session.forged', { reason: 'it has no header x-pelago: 1' })
}

/** The cookie that hands a session to a browser. Source: RFC 6265bis section 4.1.3 (prefix `__Host-`). */
export function sessionCookie(site: Site, token: string): string {
  return `${cookieName(site)}=${token}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict${isSecure(site) ? '; Secure' : ''}`
}

/** The cookie that takes it away again. */
export function endedCookie(site: Site): string {
  return `${cookieName(site)}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict${isSecure(site) ? '; Secure' : ''}`
}

/** The token in a browser's cookie. Two of one name mean that somebody else has set one: neither counts. */
export function cookieToken(headers: RequestHead['headers'], site: Site): string | undefined {
  const start = `${cookieName(site)}=`
  const found = (headers.cookie ?? '').split(/; ?/).filter((cookie) => cookie.startsWith(start))
  const token = found.length === 1 ? (found[0] as string).slice(start.length) : ''
  return token === '' ? undefined : token
}

function shownToken(head: RequestHead, site: Site): { token: string; carrier: Session['carrier'] } | undefined {
  const { authorization } = head.headers
  if (authorization === undefined) {
    const token = cookieToken(head.headers, site)
    return token === undefined ? undefined : { token, carrier: 'cookie' }
  }
  const [scheme, token = ''] = authorization.split(' ', 2)
  if (scheme?.toLowerCase() !== 'bearer' || !token.startsWith(tokenPrefix)) return undefined
  return { token, carrier: 'bearer' }
}

/** Plain HTTP is for the machine itself, where browsers do not keep cookies of the strict name. */
const isSecure = ({ origins }: Site) => origins.every((origin) => origin.startsWith('https://'))
const cookieName = (site: Site) => (isSecure(site) ? '__Host-pelago' : 'pelago-session')
