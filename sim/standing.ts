import {
  accessMigrations,
  type AccessKey,
  type AccessPorts,
  assumeRole,
  changeKey,
  changePerson,
  createAssumableRole,
  createKey,
  createPerson,
  createTenant,
  deleteKey,
  openKeyring,
  openStanding,
  revokeAssumableRole,
  revokePerson,
  revokeTenant,
  setAccessPolicy,
  type Standing,
  staleMost,
} from '#access'
import { journalMigrations } from '#journal'
import { hasCode } from '#kernel'
import { newCall } from './life.ts'
import { openSimDatabase, type SimDatabase } from './ports/database.ts'
import { openProcess, type Process } from './process.ts'
import type { Outcome } from './scenario.ts'
import { openWorld, type World } from './world.ts'

const { tenant } = newCall()
const call = { actor: 'operator', tenant }
const lifeMs = 10_000
const aroundMs = 300
const secret = async (name: string) => Buffer.from(name.padEnd(32).slice(0, 32))
const trust = JSON.stringify({ Statement: { Effect: 'Allow', Principal: { AWS: tenant }, Action: 'sts:AssumeRole' } })
const allowing = JSON.stringify({ Statement: { Effect: 'Allow', Action: 's3:*', Resource: '*' } })

/** Something that requests are signed with. `revokedAt`: when whoever revoked it was told that it is. */
type Held = { id: string; token: string | undefined; revoke: Revocation; revokedAt: number | undefined; name: string }
type Revocation = 'disable' | 'delete' | 'person' | 'role' | 'tenant' | 'state' | 'never'
type Gateway = { process: Process; standing: Standing; acts: AccessPorts }

/**
 * Two or three gateways over one database take requests while keys, people, roles and the tenant are revoked by any of them,
 * and while they stand still. No request that begins later than the bound after a revocation may get in with what was revoked.
 */
export async function runStanding(seed: number): Promise<Outcome> {
  const world = openWorld(seed)
  const schemas = [
    { component: 'access', migrations: accessMigrations },
    { component: 'journal', migrations: journalMigrations },
  ]
  const database = openSimDatabase('index', world, schemas)
  try {
    await live(world, database)
    return { seed, fingerprint: world.fingerprint() }
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { seed, fingerprint: world.fingerprint(), failure, tail: world.tail() }
  } finally {
    database.close()
  }
}

async function live(world: World, database: SimDatabase): Promise<void> {
  const open = (): Gateway => {
    const process = openProcess(world.clock)
    const connection = database.connect(process)
    const log = (level: string, event: string) => world.note(`${level} ${event}`)
    const keyring = openKeyring(secret)
    const { clock } = process
    const standing = openStanding({ database: connection, keyring, clock, log })
    const journal = { nameKey: Buffer.alloc(32, 7) }
    const acts = { database: connection, clock, random: world.random, journal, keyring, changed: standing.changed }
    return { process, standing, acts }
  }
  const gateways = Array.from({ length: 2 + world.dice(2) }, open)
  const any = () => gateways[world.dice(gateways.length)] as Gateway
  let held: Held[] = []
  await finished(world, async () => {
    held = await begin(gateways[0] as Gateway)
  })
  // A reading may take long, so it counts from when it began.
  database.faults.delayMs = [2, 60, 300][world.dice(3)] as number
  for (let pauses = world.dice(4); pauses > 0; pauses--)
    world.clock.after(world.dice(lifeMs), () => {
      const { process } = any()
      process.pause()
      world.clock.after(200 + world.dice(3000), process.goOn)
    })
  const failures: string[] = []
  const asked = async (after: number, gateway: Gateway, one: Held) => {
    await later(world, after)
    const failure = await ask(world, gateway, one)
    if (failure !== undefined) failures.push(failure)
  }
  /** Some who read just before, and perhaps while it happens; and some who come just after the bound, with nobody between. */
  const revoked = async (one: Held) => {
    const from = world.dice(lifeMs)
    const spread = aroundMs * (1 + world.dice(3))
    const around = Array.from({ length: 6 }, () =>
      asked(from + world.dice(spread), any(), world.chance(0.4) ? one : (held[world.dice(held.length)] as Held)),
    )
    await later(world, from)
    // Whatever changes makes everybody read anew.
    const { acts } = any()
    const holder = { kind: 'role', name: 'job' } as const
    if (world.chance(0.7)) await setAccessPolicy(acts, call, { holder, name: 'main', document: allowing })
    await later(world, world.dice(aroundMs))
    await revoke(world, any(), one, held)
    await Promise.all([...around, ...gateways.map((gateway) => asked(staleMost + 1 + world.dice(300), gateway, one))])
  }
  const others = Array.from({ length: 60 }, () =>
    asked(world.dice(lifeMs + 5 * staleMost), any(), held[world.dice(held.length)] as Held),
  )
  await finished(world, () => Promise.all([...held.map(revoked), ...others]))
  if (failures[0] !== undefined) throw new Error(failures[0])
}

/** People with keys, and sessions of a role that they have assumed. */
async function begin({ acts, standing }: Gateway): Promise<Held[]> {
  await createTenant(acts, call, { id: tenant })
  await createAssumableRole(acts, call, { name: 'job', trust, longestSeconds: 43_200 })
  await setAccessPolicy(acts, call, { holder: { kind: 'role', name: 'job' }, name: 'main', document: allowing })
  const held: Held[] = []
  for (const [at, revocation] of (
    ['disable', 'delete', 'person', 'state', 'role', 'never', 'tenant'] as const
  ).entries()) {
    const name = `p${at}`
    await createPerson(acts, call, { name, roles: ['owner'] })
    const { key } = await createKey(acts, call, { person: name })
    const asker = (await standing.find(key.id, undefined)) as AccessKey
    const wish = {
      roleArn: `arn:aws:iam::${tenant}:role/job`,
      sessionName: 'run',
      seconds: 43_200,
      lookup: () => undefined,
    }
    const session = await assumeRole(acts, asker, wish)
    const common = { revoke: revocation, revokedAt: undefined, name }
    const lasting =
      revocation === 'disable' || revocation === 'delete' || revocation === 'state' || revocation === 'never'
    if (lasting) held.push({ ...common, id: key.id, token: undefined })
    if (revocation !== 'never') held.push({ ...common, id: session.id, token: session.token })
  }
  return held
}

async function revoke(world: World, { acts }: Gateway, one: Held, held: readonly Held[]): Promise<void> {
  const { name, id } = one
  const keyOf = () => held.find((other) => other.name === name && other.token === undefined)?.id ?? id
  const now = () => world.clock.now()
  const ended = (which: (other: Held) => boolean) => {
    for (const other of held) if (which(other)) other.revokedAt ??= now()
  }
  const same = (other: Held) => other.name === name
  const sessions = (other: Held) => other.token !== undefined
  world.note(`${one.revoke} of ${name} begins`)
  switch (one.revoke) {
    case 'disable':
      await changeKey(acts, call, keyOf(), 'disabled')
      return ended(same)
    case 'delete':
      // Twice: of the key and of its session, whichever comes first.
      await deleteKey(acts, call, keyOf()).catch((error: unknown) => {
        if (!hasCode(error, 'key.missing')) throw error
      })
      return ended(same)
    case 'state':
      await changePerson(acts, call, { name, state: 'disabled' })
      return ended(same)
    case 'person':
      await revokePerson(acts, call, name)
      return ended((other) => same(other) && sessions(other))
    case 'role':
      await revokeAssumableRole(acts, call, 'job')
      return ended(sessions)
    case 'tenant':
      await revokeTenant(acts, call, tenant)
      return ended(sessions)
    case 'never':
      return undefined
  }
}

/** One request. @returns what is wrong */
async function ask(world: World, { standing, process }: Gateway, one: Held): Promise<string | undefined> {
  const began = world.clock.now()
  // A gateway that stands still looks at it when it goes on.
  await new Promise<void>((resolve) => process.run(resolve))
  const found = await standing.find(one.id, one.token)
  const { revokedAt, revoke: how, name } = one
  world.note(`${name} (${how}) ${found ? 'gets in' : 'is refused'}`)
  if (found && revokedAt !== undefined && began > revokedAt + staleMost)
    return `${name} got in ${began - revokedAt} ms after ${how} was answered`
  if (!found && how === 'never') return `${name} was refused, and nobody has revoked it`
  return undefined
}

const later = (world: World, ms: number) => new Promise<void>((resolve) => void world.clock.after(ms, resolve))

async function finished(world: World, act: () => Promise<unknown>): Promise<void> {
  let over = false
  let failure: unknown
  act()
    .catch((error: unknown) => {
      failure = error
    })
    .finally(() => {
      over = true
    })
  await world.runUntil(() => over, 10 * lifeMs)
  if (failure !== undefined) throw failure
}
