import * as api from '#api'
import type { Call, Clock } from '#kernel'
import { type Directory, explainHolder, parsePolicy, type Policy, reasonsAgainst, widestCode } from '#pool'
import type { Kits, OpenStorage } from '#storage'
import { type ApiCall, type Handler, handles, streams } from './handler.ts'
import { openWatches } from './watch.ts'

/** How often the state is looked at while somebody watches, milliseconds. */
const watchMs = 1000
const pageBuckets = 100

type Ports = { clock: Clock; storage: OpenStorage; kits: Pick<Kits, 'status'>; directory(): Directory }
type Asker = Pick<ApiCall, 'tenant' | 'house'>

/** What a gateway answers to its own people: health, buckets, policies, where things lie. */
export function gatewayOperations(ports: Ports): Handler[] {
  const { storage } = ports
  const watches = openWatches(
    ports.clock,
    watchMs,
    (asker: Asker) => watchedOf(ports, asker),
    ({ now: _, ...state }) => state,
  )
  return [
    handles(api.getHealth, (call) => healthOf(ports, call)),
    streams(api.watchHealth, ({ tenant, house, signal }, _, last) => watches.follow({ tenant, house }, signal, last)),
    handles(api.listBuckets, async (call, { prefix = '', after = '', limit = pageBuckets }) => {
      const { buckets, next } = await storage.objects.listBuckets(call, { prefix, after, limit })
      return { buckets: buckets.map(shown), next: next ?? null }
    }),
    handles(api.createBucket, async (call, { name, policy, etags }) => {
      const input = { name, ...(policy !== undefined && { policy: parsePolicy(policy) }), ...(etags && { etags }) }
      return shown(await storage.objects.createBucket(call, input))
    }),
    handles(api.getBucket, async (call, { name }) => shown(await storage.objects.getBucket(call, name))),
    handles(api.getBucketPolicy, async (call, { name }) => (await storage.objects.getBucket(call, name)).policy),
    handles(api.setBucketPolicy, async (call, { name, policy }) =>
      shown(await storage.objects.setBucketPolicy(call, { name, policy: parsePolicy(policy), ...seen(call) })),
    ),
    handles(api.setBucketEtags, async (call, input) =>
      shown(await storage.objects.setBucketEtags(call, { ...input, ...seen(call) })),
    ),
    handles(api.explainPolicy, (_, { policy }) => explained(ports.directory(), parsePolicy(policy))),
    handles(api.whereObject, (call, input) => whereOf(ports, call, input)),
  ]
}

/** Who may hold shards under a policy, who may not and why, and how wide the code would be. */
function explained({ providers }: Directory, policy: Policy) {
  const judged = providers.map((provider) => ({ provider, reasons: reasonsAgainst(provider, policy) }))
  const allowed = judged.filter(({ reasons }) => reasons.length === 0).map(({ provider }) => provider)
  const code = widestCode(allowed, policy)
  return {
    providers: judged.map(({ provider: { id, name }, reasons }) => ({ id, name, reasons })),
    code: code ? { data: code.k, parity: code.m } : null,
  }
}

/** What `If-Match` said, for a noun whose revisions are numbers; what is none matches nothing. */
function seen({ expected }: ApiCall): { expected?: number } {
  if (expected === undefined) return {}
  return { expected: /^\d{1,15}$/.test(expected) ? Number(expected) : -1 }
}

/** What of the health a watcher is told: what changes when something has happened. */
async function watchedOf(ports: Ports, asker: Asker) {
  const { now, providers, margins, degraded, repairing, objects } = await healthOf(ports, asker)
  const told = providers.map(({ id, state, darkSince, full }) => ({ id, state, darkSince, full }))
  return { now, providers: told, margins, degraded, repairing, objects }
}

/** How full the providers are and what is held in memory tells of all tenants, so it is for whoever runs the gateway. */
async function healthOf({ clock, storage, kits, directory }: Ports, { tenant, house }: Asker) {
  const { margins, degraded, objects, repairing, memory } = house
    ? await storage.report()
    : { ...(await storage.reportOf(tenant)), repairing: null, memory: {} }
  const { providers, version, issuedAt, expiresAt } = directory()
  const { state, light, changed } = await kits.status()
  return {
    now: clock.now(),
    providers: providers.map((provider) => {
      const health = storage.provider(provider.id)
      const { id, name, country, owner, ownerCountry, attestations } = provider
      return {
        ...{ id, name, country, owner, ownerCountry, attestations },
        state: health.state,
        darkSince: health.state === 'dark' ? health.since : null,
        full: health.full,
        latencyMs: health.latencyMs,
        usedBytes: (house ? health.status?.usedBytes : undefined) ?? null,
        quotaBytes: (house ? health.status?.quotaBytes : undefined) ?? null,
      }
    }),
    ...{ margins, degraded, repairing, memory },
    objects: objects ?? null,
    kit: { state, light, changed },
    directory: { version, issuedAt, expiresAt },
  }
}

async function whereOf(ports: Ports, call: Call, input: { bucket: string; key: string }) {
  const { segments, refused, idle, ...object } = await ports.storage.where(call, input)
  const known = new Map(ports.directory().providers.map((provider) => [provider.id, provider]))
  return {
    bucket: input.bucket,
    ...object,
    segments: segments.map((segment) => ({
      ...segment,
      shards: segment.shards.map((shard) => {
        const provider = known.get(shard.provider)
        return { ...shard, because: provider ? explainHolder(provider, object.policy) : 'It has left the federation.' }
      }),
    })),
    refused,
    idle,
  }
}

function shown(bucket: Awaited<ReturnType<OpenStorage['objects']['getBucket']>>) {
  const { name, createdAt, policy, policyEpoch, etags, revision } = bucket
  return { name, createdAt, policy, policyEpoch, etags, revision }
}
