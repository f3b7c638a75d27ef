import { defaultPolicy, judge, type Provider } from '#pool'
import type { Row } from '#kernel'
import { plaintextMark } from './content.ts'
import { bucket, newCall, finish, type Life, sleepFor } from './life.ts'
import { shardsOn } from './shards-on.ts'

const segmentQuery = `SELECT s.body, s.position, s.size, s.k, s.m, s.names, p.holders FROM segments s
  JOIN placements p ON p.id = s.placement`

type Segment = { body: string; k: number; m: number; holders: string[]; names: string[] }

function segmentsIn({ archipelago }: Life): Segment[] {
  return archipelago.index.look(segmentQuery).map((row: Row) => ({
    body: row.body as string,
    k: row.k as number,
    m: row.m as number,
    holders: (row.holders as string).split(','),
    names: (row.names as string).match(/.{32}/g) ?? [],
  }))
}

/**
 * At the moment of the acknowledgement: every segment lies at distinct providers that the policy allows, survives what is
 * promised, and every shard would be there after a power cut now.
 */
export function checkAcknowledged(life: Life, version: string): void {
  const { eligible } = judge(life.archipelago.directory, defaultPolicy)
  // An object that was put whole may lie in a pack; the check at rest looks at what parts and packs there are.
  const [object] = life.archipelago.index.look(`SELECT pack FROM objects WHERE version = '${version}'`)
  const body = object?.pack ?? version
  const held = new Map(life.archipelago.providers.map(({ provider, disk }) => [provider.id, shardsOn(disk)]))
  for (const segment of segmentsIn(life)) {
    if (segment.body !== body) continue
    const providers = segment.holders.map((id) => eligible.find((provider) => provider.id === id))
    const allowed = providers.filter((provider) => provider !== undefined)
    if (allowed.length < providers.length)
      throw new Error(`a shard lies where the policy does not allow: ${segment.holders.join()}`)
    if (!outlives(allowed, segment.k, defaultPolicy.survive.providers))
      throw new Error(`acknowledged, but does not survive: ${JSON.stringify(segment)}`)
    segment.names.forEach((name, shard) => {
      const holder = segment.holders[shard] as string
      if (life.damaged.has(holder) || held.get(holder)?.get(name)?.durable) return
      throw new Error(`acknowledged, but shard ${shard} at ${holder} would not survive a power cut`)
    })
  }
}

/** What is listed is what is there, in byte order, once each. */
export async function checkListing(life: Life, name: string): Promise<void> {
  const { storage } = life.archipelago.gateway()
  const found: string[] = []
  let after = ''
  do {
    const page = await storage.objects.listObjects(newCall(), {
      bucket: name,
      prefix: '',
      delimiter: '',
      after,
      limit: 3,
    })
    for (const entry of page.entries) if (entry.kind === 'object') found.push(entry.info.key)
    after = page.next ?? ''
  } while (after !== '')
  const wanted = life.model.keys().filter((key) => life.model.possible(key)[0] !== undefined)
  if (found.join('\n') !== wanted.join('\n'))
    throw new Error(`listed: ${found.join()}; there should be: ${wanted.join()}`)
}

/** @returns what is still left over: shards that nothing refers to, intents, dead bodies, memory */
export function checkTidy(life: Life): string | undefined {
  const { archipelago } = life
  for (const { storage } of archipelago.gateways)
    if (storage.memoryUsed() !== 0) return `${storage.memoryUsed()} bytes of memory are still taken`
  for (const table of ['quota_leases', 'key_moves', 'intents', 'intent_shards', 'dead_bodies', 'strays']) {
    // What lies at a provider that is gone waits for it.
    const waiting = table === 'strays' && life.gone !== undefined ? ` WHERE provider <> '${life.gone}'` : ''
    const [row] = archipelago.index.look(`SELECT COUNT(*) AS n FROM ${table}${waiting}`)
    if (row?.n !== 0) return `${row?.n as number} rows in ${table}`
  }
  const known = new Set(segmentsIn(life).flatMap(({ names }) => names))
  for (const { provider, disk } of archipelago.providers) {
    // A disk that lies about syncs may bring back what was moved to the trash.
    if (provider.id === life.gone || life.damaged.has(provider.id)) continue
    for (const [name, { path }] of shardsOn(disk)) if (!known.has(name)) return `${name} in ${path} at ${provider.id}`
  }
  return undefined
}

/**
 * With all rotations done: nothing is wrapped by an epoch whose key is destroyed, no old epoch and no deleted bucket has a key
 * any more, and without the old root keys everything opens.
 */
export async function checkKeys(life: Life): Promise<void> {
  const { archipelago } = life
  const { index, keys, root } = archipelago
  const floors = new Map(
    index
      .look('SELECT id, key_floor FROM buckets UNION ALL SELECT id, key_floor FROM pack_classes')
      .map((row) => [row.id as string, row.key_floor as number]),
  )
  for (const { scope, epoch } of index.look(`SELECT scope, epoch FROM segments
    UNION ALL SELECT bucket AS scope, epoch FROM objects WHERE pack IS NOT NULL`)) {
    const floor = floors.get(scope as string) ?? 0
    if ((epoch as number) < floor)
      throw new Error(`something of ${scope as string} is still under epoch ${epoch as number}`)
  }
  for (const { bucket: scope, epoch } of keys.look('SELECT bucket, epoch FROM epoch_keys')) {
    if (!floors.has(scope as string) && !(scope as string).startsWith('secret '))
      throw new Error(`epoch ${epoch as number} of ${scope as string} can still be opened, although that was deleted`)
    if ((epoch as number) < (floors.get(scope as string) ?? 0))
      throw new Error(`epoch ${epoch as number} of ${scope as string} can still be opened`)
  }
  const newest = `r${root.keys[root.keys.length - 1] as number}`
  const old = () => keys.look(`SELECT * FROM epoch_keys WHERE root <> '${newest}'`).length
  for (let waited = 0; old() > 0; waited++) {
    if (waited > 100) throw new Error('keys stay under an old root key')
    await sleepFor(life, 200)
  }
  root.keys.splice(0, root.keys.length - 1)
  for (const at of archipelago.gateways.keys()) archipelago.restartGateway(at)
}

/** With everything at rest: each live shard is where the index says, no version is kept twice, and nobody sees plaintext. */
export function checkAtRest(life: Life): void {
  const { archipelago } = life
  const held = new Map(archipelago.providers.map(({ provider, disk }) => [provider.id, shardsOn(disk)]))
  for (const segment of segmentsIn(life)) {
    if (new Set(segment.holders).size < segment.holders.length)
      throw new Error(`two shards at one provider: ${segment.holders.join()}`)
    segment.names.forEach((name, shard) => {
      const provider = segment.holders[shard] as string
      if (life.damaged.has(provider)) return
      if (!held.get(provider)?.has(name)) throw new Error(`shard ${name} is not at ${provider}, where the index has it`)
    })
  }
  const bodies =
    archipelago.index.look(`SELECT DISTINCT body FROM segments WHERE body NOT IN (SELECT version FROM objects)
    AND body NOT IN (SELECT body FROM parts) AND body NOT IN (SELECT id FROM packs)`)
  if (bodies.length > 0) throw new Error(`${bodies.length} bodies belong to nothing`)
  checkPacks(life)
  for (const { provider, disk } of archipelago.providers) {
    for (const [path, bytes] of disk.files()) {
      if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(plaintextMark))
        throw new Error(`${provider.id} can read ${path}`)
    }
  }
}

/** A pack is as much alive as its objects are, and each object is in the pack that the index has it in. */
function checkPacks({ archipelago }: Life): void {
  const wrong =
    archipelago.index.look(`SELECT k.id, k.live, COALESCE(SUM(o.size), 0) AS size, COUNT(o.key) AS objects FROM packs k
    LEFT JOIN packed p ON p.pack = k.id LEFT JOIN objects o ON o.bucket = p.bucket AND o.key = p.key AND o.pack = p.pack AND o.slot = p.slot
    GROUP BY k.id, k.live HAVING k.live <> COALESCE(SUM(o.size), 0) OR COUNT(o.key) <> COUNT(p.slot)`)
  if (wrong.length > 0) throw new Error(`packs and objects do not agree: ${JSON.stringify(wrong)}`)
  const lost =
    archipelago.index.look(`SELECT o.version FROM objects o LEFT JOIN packed p ON p.pack = o.pack AND p.slot = o.slot
    WHERE o.pack IS NOT NULL AND p.pack IS NULL`)
  if (lost.length > 0) throw new Error(`${lost.length} objects are in packs that do not know them`)
}

/** Every provider and every gateway lose power at once. */
export async function checkPowerCut(life: Life): Promise<void> {
  const { archipelago } = life
  for (const island of archipelago.providers) archipelago.crash(island)
  for (const island of archipelago.providers) {
    if (island.provider.id !== life.gone) await finish(life, () => archipelago.start(island))
  }
  for (const at of archipelago.gateways.keys()) archipelago.restartGateway(at)
  await finish(life, () => archipelago.gateway().storage.objects.getBucket(newCall(), bucket))
}

/** Whether k holders remain after any loss of so many owners; tried out, so that it is right where the product's rule may not be. */
export function outlives(holders: readonly Provider[], k: number, losses: number): boolean {
  if (holders.length < k) return false
  if (losses === 0) return true
  const owners = new Set(holders.map(({ owner }) => owner))
  return [...owners].every((lost) =>
    outlives(
      holders.filter(({ owner }) => owner !== lost),
      k,
      losses - 1,
    ),
  )
}
