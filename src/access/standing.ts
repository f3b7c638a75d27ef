import type { Clock, Database, Log, Row, Statement } from '#kernel'
import type { AccessKey, AccessKeys } from './access-key.ts'
import { accountArn, personArn, roleArn, sessionArn } from './arn.ts'
import { type Caller, personFacts } from './caller.ts'
import { accessError } from './errors.ts'
import type { Held } from './policy/evaluate.ts'
import { type AccessPolicy, type PolicyKind, readAccessPolicy } from './policy/read-policy.ts'
import { findAssumableRoleById } from './records/assumable-roles.store.ts'
import { findBucketAccess } from './records/bucket-access.store.ts'
import { lastChange } from './records/changes.store.ts'
import { groupsOf } from './records/groups.store.ts'
import { findKey, noteKeyUse } from './records/keys.store.ts'
import { findPersonById, type Person } from './records/people.store.ts'
import { policiesOf } from './records/policies.store.ts'
import { findTenant } from './records/tenants.store.ts'
import { findWebIssuer } from './records/web-issuers.store.ts'
import { type Keyring, openSecret } from './secrets/keyring.ts'
import { openSession, type SessionClaims, sessionPrefix } from './sts/session-token.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** Who may use a bucket, ready to be asked. `open`: its policy may let in strangers. */
export type BucketAccess = { bucket: string; bucketId: string; tenant: string; policy: AccessPolicy; open: boolean }

/**
 * Who has which standing now, out of the database and kept in memory. Any process may change the database: nothing is judged by
 * what was true more than `staleMost` before a request began.
 */
export type Standing = AccessKeys & {
  /** What a bucket's owner has said about it. Settled already where it is in memory. */
  bucketAccess(bucket: string): BucketAccess | undefined | Promise<BucketAccess | undefined>
  /** Something was changed here: the next request sees it. */
  changed(): void
  /** Writes down what has not been yet. */
  close(): Promise<void>
}

/**
 * Milliseconds: a revocation that has been committed is obeyed by requests that begin so much later, in every process. After
 * half of it the number of the last change is read again without anybody waiting, so that under load nobody ever does.
 */
export const staleMost = 1000
/** The reading itself takes its time too, which is taken off. */
const staleMs = 900
const refreshMs = 400
const keptMost = 10_000
const useMs = 60 * 60 * 1000
const flushMs = 60_000
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString()

type Kept = { key: AccessKey; expiresAt: number; nextUseAt: number }
type Ports = { database: Database; keyring: Keyring; clock: Clock; log: Log }

export function openStanding({ database, keyring, clock, log }: Ports): Standing {
  let sequence = 0
  /** When the reading began that found `sequence`. */
  let checkedAt = Number.NEGATIVE_INFINITY
  let checking: Promise<void> | undefined
  /** Changes that were made here. */
  let changes = 0
  /** Grows when what is kept was thrown away, so that what was read before is not kept after it. */
  let generation = 0
  const keys = new Map<string, Kept>()
  const buckets = new Map<string, BucketAccess | undefined>()
  const uses = new Map<string, number>()
  let flushedAt = clock.now()

  const check = () => {
    checking ??= (async () => {
      const [startedAt, before] = [clock.now(), changes]
      const found = await database.read(lastChange)
      if (found !== sequence) {
        sequence = found
        generation++
        keys.clear()
        buckets.clear()
      }
      // What was read may be older than what was changed here meanwhile.
      if (changes === before) checkedAt = startedAt
      // Nobody waits for it.
      if (uses.size > 0 && startedAt - flushedAt >= flushMs) void flush()
    })().finally(() => {
      checking = undefined
    })
    return checking
  }
  const flush = async () => {
    flushedAt = clock.now()
    const noted = new Map(uses)
    uses.clear()
    try {
      await database.transact(() => noteKeyUse(noted))
    } catch (error) {
      log('warn', 'access.use-unnoted', {
        keys: noted.size,
        reason: error instanceof Error ? error.message : String(error),
      })
    }
  }
  /** @returns undefined when what is kept is fresh enough */
  const fresh = (): Promise<void> | undefined => {
    const now = clock.now()
    const age = now - checkedAt
    // A clock that was set back makes everything look young.
    if (age >= 0 && age <= refreshMs) return undefined
    if (age >= 0 && age <= staleMs) {
      check().catch((error: unknown) =>
        log('warn', 'access.unrefreshed', { reason: error instanceof Error ? error.message : String(error) }),
      )
      return undefined
    }
    return (async () => {
      do await check()
      while (checkedAt < now - staleMs)
    })()
  }
  /** Keeps what was read, unless something has changed since the reading began: then it is read again. */
  const load = async <T>(
    into: Map<string, T>,
    id: string,
    read: () => Promise<T>,
    isKept: (found: T) => boolean,
  ): Promise<T> => {
    while (true) {
      const begun = generation
      const found = await read()
      if (begun !== generation) continue
      if (isKept(found)) {
        if (into.size >= keptMost) into.clear()
        into.set(id, found)
      }
      return found
    }
  }

  const readKey = async (id: string): Promise<Kept | undefined> => {
    const found = await database.read(() => standingOf(id))
    if (!found) return undefined
    const { keyring: number, secret, caller } = found
    const opened = openSecret(await keyring.key(number), secretPurpose(id), secret)
    return { key: { id, secret: textOf(opened), caller }, expiresAt: Number.POSITIVE_INFINITY, nextUseAt: 0 }
  }
  const readSession = async (id: string, token: string): Promise<Kept | undefined> => {
    const { secret, claims } = await openSession(keyring, id, token)
    const caller = await database.read(() => sessionCaller(claims))
    return caller && { key: { id, secret, caller }, expiresAt: claims.expiresAt, nextUseAt: Number.POSITIVE_INFINITY }
  }

  return {
    async find(id, token) {
      const wait = fresh()
      if (wait) await wait
      const temporary = id.startsWith(sessionPrefix)
      if (temporary !== (token !== undefined)) {
        if (temporary) return undefined
        throw accessError('access.token', { reason: 'this access key has none' })
      }
      const name = token === undefined ? id : `${id} ${token}`
      const kept =
        keys.get(name) ??
        (await load(
          keys as Map<string, Kept | undefined>,
          name,
          () => (token === undefined ? readKey(id) : readSession(id, token)),
          (found) => found !== undefined,
        ))
      if (!kept) return undefined
      const now = clock.now()
      if (now >= kept.expiresAt)
        throw accessError('access.token-expired', { at: new Date(kept.expiresAt).toISOString() })
      if (now >= kept.nextUseAt) {
        const hour = now - (now % useMs)
        kept.nextUseAt = hour + useMs
        uses.set(id, hour)
      }
      return kept.key
    },
    bucketAccess(bucket) {
      // Whoever signs was looked up just before, so this is fresh; a stranger waits here.
      const wait = fresh()
      if (!wait && buckets.has(bucket)) return buckets.get(bucket)
      return (async () => {
        if (wait) await wait
        if (buckets.has(bucket)) return buckets.get(bucket)
        return load(
          buckets,
          bucket,
          () => database.read(() => accessOf(bucket)),
          () => true,
        )
      })()
    },
    changed() {
      changes++
      checkedAt = Number.NEGATIVE_INFINITY
    },
    async close() {
      if (uses.size > 0) await flush()
    },
  }
}

/** What the secret of an access key is sealed for. */
export const secretPurpose = (id: string) => `access key ${id}`

const policies = new Map<string, AccessPolicy>()
const policiesMost = 5000

/** Policies are read once for each text. */
function readOnce(text: string, kind: PolicyKind): AccessPolicy {
  const name = `${kind.on} ${kind.on === 'bucket' ? kind.bucket : ''} ${text}`
  let policy = policies.get(name)
  if (!policy) {
    policy = readAccessPolicy(text, kind)
    if (policies.size >= policiesMost) policies.clear()
    policies.set(name, policy)
  }
  return policy
}

function* accessOf(bucket: string): Step<BucketAccess | undefined> {
  const found = yield* findBucketAccess(bucket)
  const tenant = found && (yield* findTenant(found.tenant))
  if (!found || tenant?.state !== 'active') return undefined
  const policy = readOnce(found.document, { on: 'bucket', bucket })
  return { bucket, bucketId: found.bucketId, tenant: found.tenant, policy, open: tenant.openToPublic }
}

/** A key's secret, sealed, and its caller; nothing when key, person or tenant are not good any more. */
function* standingOf(id: string): Step<{ keyring: number; secret: Uint8Array; caller: Caller } | undefined> {
  const key = yield* findKey(id)
  if (key?.state !== 'active') return undefined
  const person = yield* goodPerson(key.tenant, key.person)
  return person && { keyring: key.keyring, secret: key.secret, caller: yield* callerOf(person) }
}

function* goodPerson(tenant: string, id: string): Step<Person | undefined> {
  const person = yield* findPersonById(id)
  if (person?.state !== 'active' || person.tenant !== tenant) return undefined
  return (yield* findTenant(tenant))?.state === 'active' ? person : undefined
}

/** A person with their own policies and those of their groups. */
function* callerOf(person: Person): Step<Caller> {
  const { id, tenant, name, roles } = person
  const own = yield* held(id, `${name}'s policy`)
  for (const group of yield* groupsOf(id)) own.push(...(yield* held(group.id, `the group ${group.name}'s policy`)))
  const owner = roles.includes('owner')
  const arn = personArn(tenant, name)
  return {
    tenant,
    actor: id,
    arn,
    named: { tenant, arns: owner ? [arn, accountArn(tenant)] : [arn], owner },
    full: owner || roles.includes('admin'),
    owner,
    own,
    session: undefined,
    facts: personFacts(tenant, id, name),
  }
}

function* held(holder: string, name: string): Step<Held[]> {
  return (yield* policiesOf(holder)).map((kept) => ({
    name: `${name} ${kept.name}`,
    policy: readOnce(kept.document, { on: 'identity' }),
  }))
}

/** Temporary credentials stand while all stands that they came from: tenant, role, and who asked, in the epochs of that time. */
function* sessionCaller(claims: SessionClaims): Step<Caller | undefined> {
  const tenant = yield* findTenant(claims.tenant)
  const role = yield* findAssumableRoleById(claims.role)
  if (tenant?.state !== 'active' || tenant.epoch !== claims.tenantEpoch) return undefined
  if (role?.tenant !== claims.tenant || role.epoch !== claims.roleEpoch) return undefined
  const { by, issuer } = claims
  if (by && !(yield* stillStands(by))) return undefined
  if (issuer !== undefined && !(yield* findWebIssuer(claims.tenant, issuer))) return undefined
  const arn = sessionArn(tenant.id, role.name, claims.name)
  return {
    tenant: tenant.id,
    actor: `role ${role.id}`,
    arn,
    named: {
      tenant: tenant.id,
      arns: [arn, roleArn(tenant.id, role.name), ...(issuer === undefined ? [] : [issuer])],
      owner: false,
    },
    full: false,
    owner: false,
    own: yield* held(role.id, `the role ${role.name}'s policy`),
    session: claims.policy === undefined ? undefined : readOnce(claims.policy, { on: 'session' }),
    facts: new Map([
      ['aws:userid', `${role.id}:${claims.name}`],
      ['aws:principalarn', roleArn(tenant.id, role.name)],
      ['aws:principalaccount', tenant.id],
      ['aws:principaltype', 'AssumedRole'],
      ['aws:tokenissuetime', new Date(claims.issuedAt).toISOString()],
      ...(issuer === undefined ? [] : [['aws:federatedprovider', issuer] as const]),
    ]),
  }
}

function* stillStands(by: NonNullable<SessionClaims['by']>): Step<boolean> {
  const key = yield* findKey(by.key)
  if (key?.state !== 'active' || key.person !== by.person) return false
  const person = yield* goodPerson(by.tenant, by.person)
  return person?.epoch === by.personEpoch && (yield* findTenant(by.tenant))?.epoch === by.tenantEpoch
}
