import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import type { Dice } from './dice.ts'
import { pause } from './dice.ts'
import type { World } from './world.ts'

/** Providers that may be away at the same time: what the default policy promises to survive. */
const providersAway = 2
/** A pause longer than a lease lasts: whoever wakes believes in something that others have taken over. */
const longestSleepMs = 25_000

export type Chaos = {
  /** What was done, and how often. */
  done: Map<string, number>
  /** Ends it: nothing sleeps any more, the database runs. */
  stop(): Promise<void>
}

/**
 * Kills and stops gateways, providers and PostgreSQL, cuts connections to it and takes a provider's room away, one thing after
 * the other, as the seed says.
 */
export function startChaos(world: World, dice: Dice, say: (line: string) => void): Chaos {
  const done = new Map<string, number>()
  const away = new Set<string>()
  const under = new Set<Promise<void>>()
  let stopped = false
  let wake = () => {}
  const stopping = new Promise<void>((resolve) => {
    wake = resolve
  })
  /** For a time, or until it is all over. */
  const rest = (ms: number) => Promise.race([pause(ms), stopping])
  const note = (what: string, whom: string) => {
    done.set(what, (done.get(what) ?? 0) + 1)
    say(`${what} ${whom}`)
  }
  const later = (act: Promise<void>) => {
    under.add(act)
    void act.finally(() => under.delete(act))
  }
  const asleep = async (pids: readonly number[], ms: number) => {
    for (const pid of pids) signal(pid, 'SIGSTOP')
    await rest(ms)
    for (const pid of pids) signal(pid, 'SIGCONT')
  }

  const killGateway = () => {
    const victim = pick(world.processes('gateway'))
    if (!victim) return
    note('killed a gateway', victim.name)
    signal(victim.pid, 'SIGKILL')
  }
  const sleepGateway = () => {
    const victim = pick(world.processes('gateway').filter(({ name }) => !away.has(name)))
    if (!victim || [...away].filter((name) => name.startsWith('gateway')).length >= world.gateways - 1) return
    const ms = dice.between(2000, longestSleepMs)
    note('stopped a gateway for a while', `${victim.name} ${ms} ms`)
    away.add(victim.name)
    later(asleep([victim.pid], ms).finally(() => away.delete(victim.name)))
  }
  const providers = () => {
    const all = world.processes('provider')
    const gone = 7 - all.length + all.filter(({ name }) => away.has(name)).length
    return gone < providersAway ? all.filter(({ name }) => !away.has(name)) : []
  }
  const killProvider = () => {
    const victim = pick(providers())
    if (!victim) return
    note('killed a provider', victim.name)
    signal(victim.pid, 'SIGKILL')
  }
  const sleepProvider = () => {
    const victim = pick(providers())
    if (!victim) return
    const ms = dice.between(1000, 15_000)
    note('stopped a provider for a while', `${victim.name} ${ms} ms`)
    away.add(victim.name)
    later(asleep([victim.pid], ms).finally(() => away.delete(victim.name)))
  }
  const killPostgres = async () => {
    note('killed PostgreSQL', '')
    world.postgres.kill()
    await rest(dice.between(0, 3000))
    await world.postgres.start()
  }
  const sleepPostgres = async () => {
    const ms = dice.between(500, 6000)
    note('stopped PostgreSQL for a while', `${ms} ms`)
    await asleep(world.postgres.pids(), ms)
  }
  const cutPostgres = async () => {
    const client = new pg.Client({ connectionString: world.postgres.url, connectionTimeoutMillis: 3000 })
    client.on('error', () => 'it is killed as well as any other')
    try {
      await client.connect()
      const { rows } = await client.query<{ cut: number }>(
        `SELECT count(pg_terminate_backend(pid))::int AS cut FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND random() < 0.7`,
      )
      note('cut connections of PostgreSQL', `${rows[0]?.cut}`)
    } catch (error) {
      note('could not cut connections of PostgreSQL', String(error))
    } finally {
      await client.end().catch(() => 'it is gone already')
    }
  }
  /** A provider that comes back with less room than it uses: it reads and deletes, and takes nothing. */
  const fillProvider = () => {
    const victim = pick(providers())
    if (!victim) return
    const ms = dice.between(15_000, 40_000)
    note('took all room from a provider for a while', `${victim.name} ${ms} ms`)
    away.add(victim.name)
    later(
      full(victim, ms).finally(() => {
        away.delete(victim.name)
      }),
    )
  }
  const full = async ({ name, pid }: { name: string; pid: number }, ms: number) => {
    const quotaBytes = setQuota(world, name, 1)
    signal(pid, 'SIGKILL')
    await rest(ms)
    setQuota(world, name, quotaBytes)
    const now = world.processes('provider').find((one) => one.name === name)
    if (now) signal(now.pid, 'SIGKILL')
  }
  const pick = <T>(choices: readonly T[]): T | undefined => (choices.length === 0 ? undefined : dice.of(choices))

  // Each kind comes early at least once, however short the run is.
  const kinds = [
    ...[killGateway, fillProvider, sleepGateway, killProvider, cutPostgres],
    ...[sleepProvider, killPostgres, sleepPostgres],
  ]
  const weighted = [...kinds, killGateway, killGateway, sleepGateway, sleepProvider, killProvider, cutPostgres]
  const running = (async () => {
    for (let turn = 0; !stopped; turn++) {
      await rest(dice.between(1500, 5000))
      if (stopped) break
      const act: () => void | Promise<void> = kinds[turn] ?? dice.of(weighted)
      await act()
    }
  })()
  return {
    done,
    async stop() {
      stopped = true
      wake()
      await running
      await Promise.all(under)
    },
  }
}

/** Writes what a provider may hold into its configuration, which it reads when it starts. @returns what it was, bytes */
function setQuota(world: World, provider: string, quotaBytes: number): number {
  const file = join(world.pelago.data, 'providers', provider, 'config.json')
  const config = JSON.parse(readFileSync(file, 'utf8')) as { quotaBytes: number }
  writeFileSync(`${file}.new`, JSON.stringify({ ...config, quotaBytes }), { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return config.quotaBytes
}

/** Whoever has ended meanwhile needs no signal. */
function signal(pid: number, name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
