import { randomInt } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../src/host/clock.ts'
import { takeDataFolder } from '../../src/host/demo/data-folder.ts'
import { prepareDemo } from '../../src/host/demo/demo-federation.ts'
import { freePort } from '../../src/host/http/free-port.ts'
import { openSupervisor } from '../../src/host/demo/supervisor.ts'
import type { Target } from '../client.ts'
import { type LinkPlan, openRelay, type Relay } from './relay.ts'

const host = '127.0.0.1'
const noticeMs = 30_000
const [relayPorts, relayPortCount] = [12_000, 6000]

export type Role = 'federation' | 'provider' | 'unwrap' | 'gateway'

/** A whole federation in a temporary folder: the same configuration, processes and supervisor as `pelago up`. */
export type Federation = {
  target: Target
  processes(): { name: string; role: Role; pid: number }[]
  /** Present when relays were asked for. */
  relay: Relay | undefined
  links: LinkPlan[]
  /** Ends a provider's process at once and leaves it dead. */
  kill(provider: string): Promise<void>
  /** Starts it again and waits until the gateway knows. */
  revive(provider: string): Promise<void>
  close(): Promise<void>
}

export type FederationPlan = {
  name: string
  /** Providers between which and the gateway a relay stands. */
  relayed: readonly string[]
  /** Objects up to this size share packs; the gateway's own choice without. */
  packBytes?: number
}

export const providerNames = ['alster', 'isar', 'loire', 'vecht', 'saimaa', 'reuss', 'shannon']

export async function startFederation(plan: FederationPlan): Promise<Federation> {
  const path = mkdtempSync(join(tmpdir(), 'pelago-bench-'))
  const folder = takeDataFolder(path, systemClock.now())
  const closers: (() => unknown)[] = [() => rmSync(path, { recursive: true, force: true }), folder.release]
  const close = async () => {
    for (let closer = closers.pop(); closer; closer = closers.pop()) await closer()
  }
  try {
    const demo = await prepareDemo(path, 0, () => {}, {
      gateways: 1,
      ...(plan.packBytes !== undefined && { packBytes: plan.packBytes }),
    })
    const links = await moveProviders(demo.processes, plan.relayed)
    const relay = links.length > 0 ? await openRelay(links) : undefined
    if (relay) closers.push(() => relay.close())
    const entry = join(import.meta.dirname, '..', '..', 'bin', 'pelago.ts')
    const ports = { clock: systemClock, log: () => {}, say: () => {} }
    const supervisor = openSupervisor(ports, { entry, logFolder: join(path, 'log') }, demo.processes)
    closers.push(() => supervisor.stopAll())
    const startAll = (gateway: boolean) =>
      Promise.all(
        demo.processes.filter(({ role }) => (role === 'gateway') === gateway).map(({ name }) => supervisor.start(name)),
      )
    await startAll(false)
    await startAll(true)
    const stateOf = async (provider: string) => {
      const answer = await fetch(`http://${host}:${demo.ports.gateway}/v1/health`, {
        headers: { authorization: `Bearer ${demo.token}` },
      })
      const { providers } = (await answer.json()) as { providers: { id: string; state: string }[] }
      return providers.find(({ id }) => id === provider)?.state
    }
    return {
      target: {
        name: plan.name,
        endpoint: `http://${host}:${demo.ports.s3}`,
        key: { id: demo.access.id, secret: demo.access.secret },
        region: demo.region,
      },
      relay,
      links,
      processes: () => supervisor.list().flatMap(({ name, role, pid }) => (pid === null ? [] : [{ name, role, pid }])),
      async kill(provider) {
        const pid = supervisor.list().find(({ name }) => name === provider)?.pid
        if (pid) process.kill(pid, 'SIGKILL')
        await supervisor.stop(provider)
      },
      async revive(provider) {
        await supervisor.start(provider)
        const until = systemClock.now() + noticeMs
        while ((await stateOf(provider)) !== 'alive') {
          if (systemClock.now() > until) throw new Error(`the gateway does not see that ${provider} is back`)
          await sleep(100)
        }
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

type Plans = Awaited<ReturnType<typeof prepareDemo>>['processes']

function configOf(processes: Plans, name: string): Record<string, unknown> {
  const file = processes.find((plan) => plan.name === name)?.config
  if (file === undefined || !existsSync(file)) throw new Error(`${name} has no configuration`)
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
}

function rewrite(processes: Plans, name: string, change: (config: Record<string, unknown>) => unknown): void {
  const changed = change(configOf(processes, name))
  writeFileSync(processes.find((plan) => plan.name === name)?.config as string, `${JSON.stringify(changed, null, 2)}\n`)
}

/** The signed directory keeps naming the port on which the relay listens; the provider itself moves to another one. */
async function moveProviders(processes: Plans, names: readonly string[]): Promise<LinkPlan[]> {
  const taken = new Set<number>()
  const links: LinkPlan[] = []
  for (const name of names) {
    const { shards } = configOf(processes, name) as { shards: { host: string; port: number } }
    const to = await freePort(host, relayPorts + randomInt(relayPortCount), taken)
    taken.add(to)
    rewrite(processes, name, (config) => ({ ...config, shards: { ...shards, port: to } }))
    links.push({ name, listen: shards.port, to })
  }
  return links
}
