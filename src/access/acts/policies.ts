import type { Row, Statement } from '#kernel'
import { accessError } from '../errors.ts'
import { isPublic } from '../policy/evaluate.ts'
import { readAccessPolicy } from '../policy/read-policy.ts'
import { getAssumableRole } from '../records/assumable-roles.store.ts'
import {
  deleteBucketAccess as removeAccess,
  findBucketAccess,
  type KeptBucketAccess,
  setBucketAccess as putAccess,
} from '../records/bucket-access.store.ts'
import { getGroup } from '../records/groups.store.ts'
import { getPerson } from '../records/people.store.ts'
import { deletePolicy, type KeptPolicy, policiesOf, setPolicy } from '../records/policies.store.ts'
import { getTenant } from '../records/tenants.store.ts'
import { type AccessPorts, act, digestOf, state, type Who } from './ports.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** Whose policy it is. */
export type Holder = { kind: 'person' | 'group' | 'role'; name: string }

function* holderOf(tenant: string, { kind, name }: Holder): Step<string> {
  if (kind === 'person') return (yield* getPerson(tenant, name)).id
  if (kind === 'group') return (yield* getGroup(tenant, name)).id
  return (yield* getAssumableRole(tenant, name)).id
}

/** Sets or replaces a policy. @throws access-policy.invalid, person.missing, group.missing, assumable-role.missing */
export async function setAccessPolicy(
  ports: AccessPorts,
  call: Who,
  { holder, name, document }: { holder: Holder; name: string; document: string },
): Promise<void> {
  readAccessPolicy(document, { on: 'identity' })
  await act(ports, function* () {
    const id = yield* holderOf(call.tenant, holder)
    yield* setPolicy({ holder: id, name, tenant: call.tenant, document, setAt: ports.clock.now() })
    yield* state(ports, call, 'access.policy.set', id, { name, policy: digestOf(document) })
  })
}

export async function listAccessPolicies(ports: AccessPorts, call: Who, holder: Holder): Promise<KeptPolicy[]> {
  return ports.database.read(function* () {
    return yield* policiesOf(yield* holderOf(call.tenant, holder))
  })
}

/** @throws access-policy.missing */
export async function deleteAccessPolicy(
  ports: AccessPorts,
  call: Who,
  { holder, name }: { holder: Holder; name: string },
): Promise<void> {
  await act(ports, function* () {
    const id = yield* holderOf(call.tenant, holder)
    yield* deletePolicy(id, name)
    yield* state(ports, call, 'access.policy.deleted', id, { name })
  })
}

/** Buckets as whoever keeps them knows them, in the same database. */
export type Buckets = {
  /** The id of a tenant's bucket, which stays until the transaction ends. @throws bucket.missing */
  hold(tenant: string, name: string): Step<string>
  /** The same for who only looks. @throws bucket.missing */
  find(tenant: string, name: string): Step<string>
}

/**
 * Says who may use a bucket. A policy that lets in everybody is refused while the tenant is not open to the public.
 * @throws access-policy.invalid, access-policy.public, bucket.missing
 */
export async function setBucketAccess(
  ports: AccessPorts & { buckets: Buckets },
  call: Who,
  { bucket, document }: { bucket: string; document: string },
): Promise<void> {
  const opens = isPublic(readAccessPolicy(document, { on: 'bucket', bucket }))
  await act(ports, function* () {
    const bucketId = yield* ports.buckets.hold(call.tenant, bucket)
    if (opens && !(yield* getTenant(call.tenant)).openToPublic)
      throw accessError('access-policy.public', { tenant: call.tenant })
    yield* putAccess({ bucket, bucketId, tenant: call.tenant, document, setAt: ports.clock.now() })
    const facts = { name: bucket, policy: digestOf(document), public: opens ? ('yes' as const) : ('no' as const) }
    yield* state(ports, call, 'bucket.access.set', bucketId, facts)
  })
}

/** @returns undefined when nothing was said. @throws bucket.missing */
export async function getBucketAccess(
  { database, buckets }: Pick<AccessPorts, 'database'> & { buckets: Buckets },
  call: Who,
  bucket: string,
): Promise<(KeptBucketAccess & { public: boolean }) | undefined> {
  return database.read(function* () {
    yield* buckets.find(call.tenant, bucket)
    const found = yield* findBucketAccess(bucket)
    if (found?.tenant !== call.tenant) return undefined
    const opens = isPublic(readAccessPolicy(found.document, { on: 'bucket', bucket }))
    return { ...found, public: opens && (yield* getTenant(call.tenant)).openToPublic }
  })
}

/** Twice comes to the same as once. @throws bucket.missing */
export async function deleteBucketAccess(
  ports: AccessPorts & { buckets: Buckets },
  call: Who,
  bucket: string,
): Promise<void> {
  await act(ports, function* () {
    const id = yield* ports.buckets.hold(call.tenant, bucket)
    const found = yield* findBucketAccess(bucket)
    if (!found) return
    yield* removeAccess(bucket)
    yield* state(ports, call, 'bucket.access.deleted', id, { name: bucket })
  })
}
