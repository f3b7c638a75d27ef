import { hasCode, type Row } from '#kernel'
import { ask, bucket, finish, type Life, newCall, quietLimitMs, sleepFor } from './life.ts'
import { putContent } from './clients.ts'

const limits = { bytes: [60_000, 600_000], objects: [3, 12] } as const
const tenant = newCall().tenant

/** Sets the quota of the bucket, of its tenant, or of both, to what the clients may come to. */
export async function setQuotas(life: Life): Promise<void> {
  const { world, archipelago } = life
  const { storage } = archipelago.gateway()
  const within = ([least, most]: readonly [number, number]) => least + world.dice(most - least)
  const wish = () => ({
    bytesLimit: world.chance(0.8) ? within(limits.bytes) : undefined,
    objectsLimit: world.chance(0.5) ? within(limits.objects) : undefined,
  })
  if (world.chance(0.8)) await storage.quotas.setBucket(newCall(), { bucket, ...wish() })
  if (world.chance(0.5)) await storage.quotas.setTenant(newCall(), { tenant, ...wish() })
}

/** The same while clients write and faults happen: what was stored before is counted meanwhile. */
export function scheduleQuotas(life: Life): void {
  const { world, phase } = life
  world.clock.after(world.dice(2500), () => {
    if (life.phase !== phase) return
    const gateway = life.archipelago.gateway()
    void ask(gateway, () => setQuotas(life)).then((outcome) => {
      if (outcome === 'died' || 'value' in outcome) return
      if (!hasCode(outcome.error, 'database.busy', 'database.uncertain')) life.problems.push(outcome.error)
    })
  })
}

type Scope = { scope: string; bytes: number; objects: number; stored: { bytes: number; objects: number } }
type Limit = number | null

/** Looks at every commit: no quota is exceeded, and what each says of itself is true. */
export function watchQuotas({ archipelago, problems, world }: Life): void {
  const { index } = archipelago
  let before = new Map<string, Scope['stored']>()
  index.onCommit = () => {
    const quotas = index.look('SELECT * FROM quotas')
    if (quotas.length === 0) return
    const now = new Map<string, Scope['stored']>()
    for (const row of quotas) {
      const stored = storedIn(index.look, row)
      const scope = row.scope as string
      now.set(scope, stored)
      if (row.counted_to !== null) continue
      const fault = faultOf(row, stored, before.get(scope) ?? stored, index.look)
      if (fault === undefined) continue
      world.note(fault)
      problems.push(new Error(fault))
    }
    before = now
  }
}

function storedIn(look: (text: string) => Row[], row: Row): Scope['stored'] {
  const within = row.bucket === null ? '1 = 1' : `bucket = '${row.bucket as string}'`
  const [objects] = look(`SELECT COALESCE(SUM(size), 0) AS bytes, COUNT(*) AS n FROM objects WHERE ${within}`)
  const [parts] = look(`SELECT COALESCE(SUM(p.size), 0) AS bytes FROM uploads u JOIN parts p ON p.version = u.id
    WHERE ${within}`)
  return { bytes: Number(objects?.bytes) + Number(parts?.bytes), objects: Number(objects?.n) }
}

/** @param last what was stored one commit before: what is over a limit that became smaller may stay, and not grow */
function faultOf(row: Row, stored: Scope['stored'], last: Scope['stored'], look: (text: string) => Row[]) {
  const scope = row.scope as string
  const leases = look(`SELECT bytes, objects FROM quota_leases WHERE scope = '${scope}'`)
  if (leases.some(({ bytes, objects }) => Number(bytes) < 0 || Number(objects) < 0))
    return `a lease of ${scope} holds less than nothing`
  for (const [what, limit] of [
    ['bytes', row.bytes_limit as Limit],
    ['objects', row.objects_limit as Limit],
  ] as const) {
    const held = leases.reduce((sum, lease) => sum + Number(lease[what]), 0)
    const says = Number(row[what]) - held
    if (says !== stored[what]) return `${scope} says ${says} ${what}, but ${stored[what]} are stored`
    if (limit !== null && stored[what] > limit && stored[what] > last[what])
      return `${stored[what]} ${what} are stored in ${scope}, which may have ${limit}`
  }
  return undefined
}

/** With all at rest: what fits is taken, to the last byte, whatever others hold; one byte more is refused. */
export async function checkQuotasFit(life: Life): Promise<void> {
  const { archipelago } = life
  const { index } = archipelago
  await untilCounted(life)
  const quotas = index.look('SELECT * FROM quotas')
  if (quotas.length === 0) return
  const left = (what: 'bytes' | 'objects') => {
    const rooms = quotas.map((row) => {
      const limit = row[`${what}_limit`] as Limit
      return limit === null ? Number.POSITIVE_INFINITY : limit - storedIn(index.look, row)[what]
    })
    return Math.max(0, Math.min(...rooms))
  }
  const key = `fits/${life.nextId}`
  const put = async (name: string, size: number) => {
    while (true) {
      const outcome = await finish(life, () => putContent(life, name, { id: life.nextId++, size }))
      if (outcome === 'died') throw new Error('a gateway died at rest')
      if ('value' in outcome) return undefined
      // A rotation may still be under way: each retires one key, once.
      if (!hasCode(outcome.error, 'key.retired')) return outcome.error
    }
  }
  const room = left('bytes')
  if (left('objects') === 0 || room === 0) {
    const refused = await put(key, 1)
    if (!hasCode(refused, 'quota.exceeded')) throw new Error(`nothing is left, but one byte was ${saying(refused)}`)
    return
  }
  if (room > 300_000) return
  const refused = await put(key, room)
  if (refused) throw new Error(`${room} bytes are left, but as many are refused: ${saying(refused)}`)
  const more = await put(`${key}/more`, 1)
  if (!hasCode(more, 'quota.exceeded')) throw new Error(`all is used, but one byte more was ${saying(more)}`)
  await finish(life, () =>
    archipelago.gateway().storage.objects.deleteObject(newCall(), { bucket, key, condition: {} }),
  )
  life.model.set(key, undefined)
}

const saying = (error: unknown) => (error instanceof Error ? error.message : 'taken')

/** A count that stumbled rests before it goes on, but it comes to its end. */
async function untilCounted(life: Life): Promise<void> {
  const { world, archipelago } = life
  const started = world.clock.now()
  while (archipelago.index.look('SELECT 1 FROM quotas WHERE counted_to IS NOT NULL').length > 0) {
    if (world.clock.now() - started > quietLimitMs) throw new Error('a quota is never counted to its end')
    await sleepFor(life, 200)
  }
}
