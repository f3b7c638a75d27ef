import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { ProcessStatus } from '#api'
import type { Clock, Log } from '#kernel'
import type { ProcessPlan } from './demo-federation.ts'
import { hostError } from '../errors.ts'

/** Keeps the processes of one data folder running. */
export type Supervisor = {
  /** Starts one and resolves when it is ready. @throws process.unknown, process.died, process.slow */
  start(name: string): Promise<ProcessStatus>
  /** Stops one and leaves it stopped. @throws process.unknown */
  stop(name: string): Promise<ProcessStatus>
  list(): ProcessStatus[]
  /** Stops all: gateway first, so that nothing is cut off in the middle. */
  stopAll(): Promise<void>
}

type Ports = { clock: Clock; log: Log; say(sentence: string): void }
type Config = { entry: string; logFolder: string }

/** Ten that start together on a busy machine take their time; one that hangs is started anew after this. */
const readyMs = 60_000
const stopMs = 10_000
/** A provider that was killed stays away this long, so that the loss can be seen; the others are wanted back at once. */
const restartMs = { provider: 10_000, gateway: 500, unwrap: 500, federation: 500 }
const restartMostMs = { provider: 60_000, gateway: 10_000, unwrap: 10_000, federation: 10_000 }
/** One that ran this long before it stopped begins anew with the shortest pause. */
const steadyMs = 60_000

const quiet = '--disable-warning=ExperimentalWarning'
/**
 * Bytes on their way through a gateway count for its collector although they are given back by hand. With room from the
 * start (MiB) it does not begin to mark the same few objects again with every few of them; `npm run bench -- s3` shows it.
 */
const nodeFlags = {
  provider: [quiet],
  federation: [quiet],
  // What this one has in memory must not end up in a file that a debugger or a crash wrote.
  unwrap: [quiet, '--disable-sigusr1'],
  gateway: [quiet, '--initial-old-space-size=256'],
}

type State = {
  plan: ProcessPlan
  child?: ChildProcess
  status: ProcessStatus
  failures: number
  cancel?: () => void
}

export function openSupervisor(ports: Ports, config: Config, plans: readonly ProcessPlan[]): Supervisor {
  const states = new Map<string, State>()
  let closing = false
  for (const plan of plans) {
    const { name, role, url } = plan
    const status: ProcessStatus = {
      name,
      role,
      url,
      state: 'stopped',
      pid: null,
      since: ports.clock.now(),
      restartAt: null,
      restarts: 0,
      because: 'it was not started yet',
    }
    states.set(name, { plan, status, failures: 0 })
  }
  const find = (name: string): State => {
    const state = states.get(name)
    if (!state) throw hostError('process.unknown', { name, known: [...states.keys()].join(', ') })
    return state
  }
  const enter = (state: State, next: ProcessStatus['state'], because: string, restartAt: number | null = null) => {
    const pid = state.child?.pid ?? null
    state.status = { ...state.status, state: next, because, restartAt, pid, since: ports.clock.now() }
  }

  const launch = (state: State): Promise<void> => {
    state.cancel?.()
    const { name, role, config: file } = state.plan
    const log = join(config.logFolder, `${name}.log`)
    const child = spawn(process.execPath, [...nodeFlags[role], config.entry, 'run', '--config', file, '--log', log], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    state.child = child
    enter(state, 'starting', 'it is being started')
    return new Promise((resolve, reject) => {
      let settled = false
      const settle = (act: () => void) => {
        if (settled) return
        settled = true
        cancelLimit()
        act()
      }
      const cancelLimit = ports.clock.after(readyMs, () => {
        settle(() => reject(hostError('process.slow', { name, seconds: readyMs / 1000, log })))
        child.kill('SIGKILL')
      })
      let failed: string | undefined
      child.on('message', (message: { ready?: boolean; failed?: string }) => {
        if (message.failed !== undefined) failed = message.failed
        if (!message.ready) return
        enter(state, 'running', 'it runs')
        settle(resolve)
      })
      child.on('error', (error) => {
        failed = error.message
      })
      child.on('exit', (code, signal) => {
        const how = failed ?? (signal ? `it was killed (${signal})` : `it ended with code ${code}; its log is ${log}`)
        const ready = settled && failed === undefined
        delete state.child
        settle(() => reject(hostError('process.died', { name, reason: how })))
        if (closing || state.status.state === 'stopping') return enter(state, 'stopped', 'it was stopped')
        const ran = ports.clock.now() - state.status.since
        state.failures = ready && ran > steadyMs ? 0 : state.failures + 1
        const pause = Math.min(restartMs[role] * 2 ** Math.max(0, state.failures - 1), restartMostMs[role])
        ports.log('warn', 'process.died', { name, reason: how, pause })
        ports.say(`${name} has stopped: ${how}. It is started again in ${Math.round(pause / 100) / 10} s.`)
        restartLater(state, how, pause)
      })
    })
  }
  const restartLater = (state: State, because: string, pause: number) => {
    enter(state, 'waiting', because, ports.clock.now() + pause)
    state.cancel = ports.clock.after(pause, () => {
      state.status.restarts++
      launch(state).then(
        () => ports.say(`${state.plan.name} runs again.`),
        (error: unknown) => ports.log('warn', 'process.unstarted', { name: state.plan.name, reason: String(error) }),
      )
    })
  }
  const end = async (state: State, because: string): Promise<void> => {
    state.cancel?.()
    const { child } = state
    if (!child) return enter(state, 'stopped', because)
    enter(state, 'stopping', because)
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill('SIGTERM')
    const cancel = ports.clock.after(stopMs, () => child.kill('SIGKILL'))
    await gone
    cancel()
    enter(state, 'stopped', because)
  }

  return {
    async start(name) {
      const state = find(name)
      if (state.status.state === 'stopped' || state.status.state === 'waiting') await launch(state)
      return state.status
    },
    async stop(name) {
      const state = find(name)
      await end(state, 'it was stopped by command')
      return state.status
    },
    list: () => [...states.values()].map(({ status }) => status),
    async stopAll() {
      closing = true
      const of = (role: ProcessPlan['role']) => [...states.values()].filter(({ plan }) => plan.role === role)
      for (const role of ['gateway', 'unwrap', 'provider', 'federation'] as const) {
        await Promise.all(of(role).map((state) => end(state, 'Pelago stops')))
      }
    },
  }
}
