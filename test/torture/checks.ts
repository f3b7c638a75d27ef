import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as s3 from '@aws-sdk/client-s3'
import { type Row, type Statement, sql } from '#kernel'
import { openPostgres } from '../../src/host/database/postgres.ts'
import { pause } from './dice.ts'
import { bucket, isContent, listAll, type Load } from './load.ts'
import type { Held } from './oracle.ts'
import type { World } from './world.ts'
import { bundledShards } from '../../sim/shards-on.ts'

/** One thing that must hold, and what speaks against it. */
export type Check = { says: string; faults: string[] }

const healMs = 240_000
const readersAtOnce = 8

type Health = {
  status: { processes: { name: string; state: string }[] }
  health: { degraded: number; margins: { margin: number; segments: number }[] }
}

/** Waits until every process runs and no segment survives less than it should. */
export async function healed(world: World): Promise<Check> {
  const until = performance.now() + healMs
  const says = 'everything runs again, and every segment survives what was promised'
  for (;;) {
    const { out, err } = await world.pelago.cli('status', '--json')
    const faults = troublesOf(out) ?? [`status does not answer: ${err.slice(0, 200)}`]
    if (faults.length === 0 || performance.now() > until) return { says, faults }
    await pause(1000)
  }
}

function troublesOf(out: string): string[] | undefined {
  let seen: Health
  try {
    seen = JSON.parse(out) as Health
  } catch {
    return undefined
  }
  if (!seen.status || !seen.health) return undefined
  const still = seen.status.processes
    .filter(({ state }) => state !== 'running')
    .map(({ name }) => `${name} does not run`)
  return seen.health.degraded > 0 ? [...still, `${seen.health.degraded} segments are degraded`] : still
}

/** Reads everything back through every gateway in turn. */
export async function readBack(world: World, load: Load): Promise<Check[]> {
  const keys = [...load.allowed()].sort(([a], [b]) => (a < b ? -1 : 1))
  const wrong: string[] = []
  const there = new Set<string>()
  const rest = keys.entries()
  const lane = async () => {
    for (const [at, [key, allowed]] of rest) {
      const { found, bytes } = await readOne(world, at, key)
      if (found !== 'nothing') there.add(key)
      if (!allowed.has(found)) wrong.push(`${key}: found ${found}, but only ${[...allowed].join(', ')} may be there`)
      else if (typeof found === 'number' && !isContent(found, load.sizes, bytes)) wrong.push(`${key}: other bytes`)
    }
  }
  await Promise.all(Array.from({ length: readersAtOnce }, lane))
  const listed = await listAll(world.client(0))
  const unlisted = [...there].filter((key) => !listed.has(key)).map((key) => `${key} is not listed`)
  const ghosts = [...listed].filter((key) => !there.has(key)).map((key) => `${key} is listed and cannot be read`)
  return [
    { says: `${keys.length} keys hold what may be there, byte for byte`, faults: wrong },
    {
      says: `the listing names the ${there.size} objects that can be read, and no other`,
      faults: [...unlisted, ...ghosts],
    },
  ]
}

async function readOne(world: World, at: number, Key: string): Promise<{ found: Held; bytes?: Uint8Array }> {
  for (let attempt = 0; ; attempt++) {
    try {
      const answer = await world.client(at + attempt).send(new s3.GetObjectCommand({ Bucket: bucket, Key }))
      const bytes = await answer.Body?.transformToByteArray()
      return { found: Number(answer.Metadata?.content), ...(bytes && { bytes }) }
    } catch (error) {
      if ((error as Error).name === 'NoSuchKey') return { found: 'nothing' }
      if (attempt === 10) return { found: Number.NaN }
      await pause(500)
    }
  }
}

type Shard = { provider: string; name: string }

/** With everything stopped: the index against the providers' disks, and what the index counts against what it holds. */
export async function comparedWithDisks(world: World): Promise<Check[]> {
  const database = await openPostgres({ url: world.postgres.url, schemas: [] })
  try {
    const { named, planned, strays, counts, packs } = await database.read(readIndex)
    const onDisk = shardsOnDisks(world.pelago.data)
    const known = new Set([...named, ...planned, ...strays].map(idOf))
    const unknown = onDisk.map(idOf).filter((id) => !known.has(id))
    const present = new Set(onDisk.map(idOf))
    const missing = named.map(idOf).filter((id) => !present.has(id))
    return [
      {
        says: `each of ${onDisk.length} shards at the providers is named by the index, or awaits its removal`,
        faults: unknown,
      },
      { says: `each of ${named.length} shards that the index names is at its provider`, faults: missing },
      { says: 'the counts per placement are those of the segments', faults: counts },
      { says: 'what lives in each pack is the sum of its objects', faults: packs },
    ]
  } finally {
    await database.close()
  }
}

const idOf = ({ provider, name }: Shard) => `${provider}/${name}`

function shardsOnDisks(data: string): Shard[] {
  return readdirSync(join(data, 'providers')).flatMap((provider) => {
    const store = join(data, 'providers', provider, 'store')
    const inFolder = (folder: string) => (existsSync(join(store, folder)) ? readdirSync(join(store, folder)) : [])
    const files = inFolder('shards').flatMap((part) => inFolder(`shards/${part}`))
    const bundles = inFolder('bundles').map(
      (name) => [`bundles/${name}`, readFileSync(join(store, 'bundles', name))] as const,
    )
    return [...files, ...bundledShards(new Map(bundles)).keys()].map((name) => ({ provider, name }))
  })
}

function* readIndex(): Generator<
  Statement,
  { named: Shard[]; planned: Shard[]; strays: Shard[]; counts: string[]; packs: string[] },
  Row[]
> {
  const segments = yield sql`SELECT s.names, p.holders FROM segments s JOIN placements p ON p.id = s.placement`
  const named = segments.flatMap(({ names, holders }) =>
    (holders as string).split(',').map((provider, at) => ({
      provider,
      name: (names as string).slice(at * 32, (at + 1) * 32),
    })),
  )
  const planned = (yield sql`SELECT provider, name FROM intent_shards`) as unknown as Shard[]
  const strays = (yield sql`SELECT provider, name FROM strays`) as unknown as Shard[]
  const counts = yield sql`SELECT COALESCE(c.placement, s.placement) AS what FROM placement_counts c
    FULL JOIN (SELECT placement, scope, k, m, COUNT(*) AS segments, SUM(size) AS bytes FROM segments GROUP BY placement, scope, k, m) s
      ON s.placement = c.placement AND s.scope = c.scope AND s.k = c.k AND s.m = c.m
    WHERE c.segments IS DISTINCT FROM s.segments OR c.bytes IS DISTINCT FROM s.bytes`
  const packs = yield sql`SELECT p.id AS what FROM packs p
    LEFT JOIN (SELECT pack, SUM(size) AS live FROM objects WHERE pack IS NOT NULL GROUP BY pack) o ON o.pack = p.id
    WHERE p.live <> COALESCE(o.live, 0)`
  const whats = (rows: Row[]) => rows.map(({ what }) => String(what))
  return { named, planned, strays, counts: whats(counts), packs: whats(packs) }
}
