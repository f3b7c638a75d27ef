import {
  type AccessPorts,
  assumeRole,
  assumeRoleWithWebIdentity,
  type Buckets,
  deleteBucketAccess,
  getBucketAccess,
  openKeyring,
  openStanding,
  openWebKeys,
  setBucketAccess,
  type Standing,
  takeInKeys,
} from '#access'
import type { Journal } from '#journal'
import type { Clock, Database, EgressFetch, Log, Random } from '#kernel'
import type { BucketPolicies, SessionGiver } from '#s3'
import { getBucket, holdBucket } from '#storage'

/** A key that there was before people were known. */
export type FirstKey = { id: string; secret: string; tenant: string; actor: string }

type Ports = {
  clock: Clock
  random: Random
  log: Log
  index: Database
  journal: Journal
  keys: { secret(name: string): Promise<Uint8Array> }
  /** To the keys of issuers of tokens. */
  egress: EgressFetch
}

/** Who may do what at a gateway: what requests are judged by, and the acts that change it. */
export type GatewayAccess = {
  standing: Standing
  acts: AccessPorts & { buckets: Buckets }
  policies: BucketPolicies
  sessions: SessionGiver
}

/** Buckets lie in the same database, so what hangs on one is changed while it is held. */
const buckets: Buckets = {
  *hold(tenant, name) {
    return (yield* holdBucket(tenant, name)).id
  },
  *find(tenant, name) {
    return (yield* getBucket(tenant, name)).id
  },
}

/** Opens it. @param firstKeys taken in when there is no tenant yet */
export async function openAccess(ports: Ports, firstKeys: readonly FirstKey[]): Promise<GatewayAccess> {
  const { clock, random, log, index: database, journal } = ports
  const keyring = openKeyring(ports.keys.secret)
  const standing = openStanding({ database, keyring, clock, log })
  const acts = { database, clock, random, journal, keyring, buckets, changed: standing.changed }
  if (firstKeys.length > 0) {
    const taken = await takeInKeys(acts, firstKeys)
    if (taken > 0) log('info', 'access.keys-taken-in', { keys: taken })
  }
  const webKeys = openWebKeys(ports)
  return {
    standing,
    acts,
    policies: {
      set: (call, input) => setBucketAccess(acts, call, input),
      get: (call, bucket) => getBucketAccess(acts, call, bucket),
      delete: (call, bucket) => deleteBucketAccess(acts, call, bucket),
    },
    sessions: {
      assumeRole: (key, wish) => assumeRole(acts, key, wish),
      assumeRoleWithWebIdentity: (wish) => assumeRoleWithWebIdentity({ ...acts, webKeys }, wish),
    },
  }
}
