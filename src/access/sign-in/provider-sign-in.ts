import { appendFact } from '#journal'
import type { Call, Row, Statement } from '#kernel'
import {
  changePerson,
  findPerson,
  findPersonById,
  insertPerson,
  type Person,
  type PersonRole,
} from '../records/people.store.ts'
import { addMember, insertGroup, listGroups, removeMember } from '../records/groups.store.ts'
import { beginLimit, ceremonyMs, spendAttempt, takeBegun } from './ceremony.ts'
import { insertCeremony } from './ceremonies.store.ts'
import { findByEmail, findIdentity, hasCredentials, setIdentity } from './credentials.store.ts'
import { signInError } from './errors.ts'
import type { Claims, ProviderTie } from './identity-provider.ts'
import type { MembershipRule, SignInPorts } from './ports.ts'
import { freshId, freshSecret, hashOf } from './secrets.ts'
import { drawSession, type OpenedSession, openSession } from './sessions.ts'
import type { Carrier } from './sessions.store.ts'

type Step<T> = Generator<Statement, T, Row[]>

type Begun = { provider: string; tie: ProviderTie }

/**
 * Begins a sign-in with an identity provider. `ceremony` stays with whoever began; without it the answer is worth nothing, so
 * nobody can be signed in as somebody else by a link.
 * @throws provider.unknown, provider.redirect, provider.failed, attempts.spent
 */
export async function beginProviderSignIn(
  ports: SignInPorts,
  call: Call,
  input: { provider: string; redirectUri: string; address: string },
): Promise<{ ceremony: string; url: string }> {
  const { clock, database, random, site, providers } = ports
  await spendAttempt(ports, `begin ${input.address}`, beginLimit)
  checkRedirect(input.redirectUri, site.origins)
  const [ceremony, state, nonce, verifier] = [
    freshSecret(random),
    freshSecret(random),
    freshSecret(random),
    freshSecret(random),
  ]
  const tie = { redirectUri: input.redirectUri, state, nonce, verifier }
  const url = await providers.begin(input.provider, tie, call.signal)
  const now = clock.now()
  await database.transact(() =>
    insertCeremony(now, {
      ...{ id: hashOf(ceremony), tenant: site.tenant, purpose: 'provider', person: undefined, code: undefined },
      ...{ data: { provider: input.provider, tie } satisfies Begun, expiresAt: now + ceremonyMs },
    }),
  )
  return { ceremony, url }
}

/**
 * Signs in whom the provider names: somebody it named before, somebody who was invited by the address that it has verified,
 * or somebody whom a rule lets in.
 * @param input.answer the query that the provider gave to the redirection
 * @throws ceremony.*, provider.*, access.denied
 */
export async function finishProviderSignIn(
  ports: SignInPorts,
  call: Call,
  input: { ceremony: string; answer: string; carrier: Carrier; label: string; replaced: string | undefined },
): Promise<OpenedSession> {
  const { clock, database, random, site, providers } = ports
  const of = { tenant: site.tenant, purpose: 'provider' as const, secret: input.ceremony }
  const { data } = await takeBegun<Begun>(ports, of)
  // Compared before anything is sent to the provider: a foreign answer must not use up a code.
  if (new URLSearchParams(input.answer).get('state') !== data.tie.state) throw signInError('provider.state')
  const claims = await providers.finish(data.provider, data.tie, input.answer, call.signal)
  const drawn = drawSession(random)
  const rules = site.rules[data.provider] ?? []
  const fresh = { person: freshId(random), groups: groupsOfRules(rules).map(() => freshId(random)) }
  const now = clock.now()
  return database.transact(function* () {
    const person = yield* personOf(ports, claims, rules, fresh, now)
    const { carrier, label, replaced } = input
    const opened = { person, carrier, method: 'provider', label, signOut: claims.signOut, replaced } as const
    return yield* openSession(ports, drawn, now, opened)
  })
}

function* personOf(
  { journal, site: { tenant } }: SignInPorts,
  claims: Claims,
  rules: readonly MembershipRule[],
  drawn: { person: string; groups: readonly string[] },
  now: number,
): Step<Person> {
  const { issuer, subject } = claims
  const identity = yield* findIdentity(tenant, issuer, subject)
  const known = identity && (yield* findPersonById(identity.person))
  const granted = rules.filter((rule) => meets(rule, claims))
  const roles = [...new Set(granted.flatMap((rule) => rule.roles))].sort()
  if (identity && known?.tenant === tenant) {
    if (!identity.byRule) return known
    // Whom a rule let in is what the rules say today.
    if (granted.length === 0) throw signInError('provider.uninvited')
    yield* setGroups(known, rules, granted, drawn.groups, now)
    const same = roles.join() === [...known.roles].sort().join()
    return same ? known : yield* changePerson(tenant, known.name, { roles })
  }
  const invited = yield* invitedPerson(tenant, claims)
  if (!invited && granted.length === 0) throw signInError('provider.uninvited')
  const person = invited ?? (yield* newPerson(tenant, claims, roles, drawn.person, now))
  if (!invited) yield* setGroups(person, rules, granted, drawn.groups, now)
  yield* setIdentity({ tenant, issuer, subject, person: person.id, byRule: !invited }, now)
  yield* appendFact(journal, {
    ...{ topic: 'identity.linked', about: person.id, actor: person.id, tenant, at: now },
    facts: { issuer, by: invited ? 'invitation' : 'rule' },
  })
  return person
}

/** Puts somebody into the groups that the rules give, making those that are missing, and out of the others that rules name. */
function* setGroups(
  { tenant, id }: Person,
  rules: readonly MembershipRule[],
  granted: readonly MembershipRule[],
  drawn: readonly string[],
  now: number,
): Step<void> {
  const wanted = new Set(granted.flatMap(({ groups }) => groups))
  const known = new Map((yield* listGroups(tenant)).map((group) => [group.name, group]))
  for (const [at, name] of groupsOfRules(rules).entries()) {
    let group = known.get(name)
    if (!group && wanted.has(name)) {
      group = { id: drawn[at] as string, tenant, name, createdAt: now }
      yield* insertGroup(group)
    }
    if (group && wanted.has(name)) yield* addMember(group.id, id)
    else if (group) yield* removeMember(group.id, id)
  }
}

const groupsOfRules = (rules: readonly MembershipRule[]) => [...new Set(rules.flatMap(({ groups }) => groups))].sort()

/** Somebody who is written down with the address and has nothing yet to sign in with; others are not taken over. */
function* invitedPerson(tenant: string, { email }: Claims): Step<Person | undefined> {
  if (email === undefined) return undefined
  const [id, other] = yield* findByEmail(tenant, email)
  if (id === undefined || other !== undefined || (yield* hasCredentials(id))) return undefined
  const person = yield* findPersonById(id)
  return person?.state === 'active' ? person : undefined
}

function* newPerson(tenant: string, claims: Claims, roles: PersonRole[], id: string, now: number): Step<Person> {
  const wished = (claims.email?.split('@')[0] ?? claims.name ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .slice(0, 40)
  const base = /^[a-z0-9]/.test(wished) ? wished : 'person'
  const name = (yield* findPerson(tenant, base)) ? `${base}-${id.slice(0, 6)}` : base
  const person: Person = {
    ...{ id, tenant, name, displayName: claims.name?.slice(0, 100) ?? name, email: claims.email },
    ...{ roles, state: 'active', epoch: 1, createdAt: now },
  }
  yield* insertPerson(person)
  return person
}

/** A claim may hold one text or several. */
function meets({ claim, is }: MembershipRule, { all }: Claims): boolean {
  const value = Object.hasOwn(all, claim) ? all[claim] : undefined
  return Array.isArray(value) ? value.includes(is) : value === is
}

/** A page of this gateway, or a program on the person's own machine. Source: RFC 8252 section 7.3. */
function checkRedirect(uri: string, origins: readonly string[]): void {
  const url = URL.canParse(uri) ? new URL(uri) : undefined
  const own = url && origins.includes(url.origin) && url.pathname === '/sign-in/callback'
  const machine = url?.protocol === 'http:' && url.hostname === '127.0.0.1' && url.pathname === '/callback'
  if (!url || (!own && !machine) || url.search !== '' || url.hash !== '' || url.username !== '')
    throw signInError('provider.redirect', { uri: uri.slice(0, 200) })
}
