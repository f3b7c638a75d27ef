import { statfsSync } from 'node:fs'
import * as api from '#api'
import type { Clock } from '#kernel'
import { type Handler, handles, logAct, openWatch, type RoleLog, streams } from '#roles'
import type { DemoFederation } from './demo-federation.ts'
import { runDoctor } from './doctor.ts'
import { supportBundle } from './support-bundle.ts'
import type { Supervisor } from './supervisor.ts'

/** How often the processes are looked at while somebody watches, milliseconds. */
const watchMs = 500

type Ports = {
  clock: Clock
  supervisor: Supervisor
  /** Where acts on processes are written down. */
  own: RoleLog
  demo: DemoFederation
  data: string
  startedAt: number
  version: string
}

/** What the supervisor answers: processes, providers, and what the doctor finds. */
export function supervisorOperations({ clock, supervisor, own, demo, data, startedAt, version }: Ports): Handler[] {
  const processes = () => ({ now: clock.now(), processes: supervisor.list() })
  const watch = openWatch(clock, watchMs, processes, ({ processes: state }) => state)
  return [
    streams(api.watchStatus, ({ signal }, _, last) => watch.follow(signal, last)),
    handles(api.getStatus, () => {
      const { bavail, blocks, bsize } = statfsSync(data)
      return {
        startedAt,
        now: clock.now(),
        data,
        version,
        s3: demo.endpoints[0] ?? '',
        processes: supervisor.list(),
        disk: { freeBytes: bavail * bsize, totalBytes: blocks * bsize },
      }
    }),
    handles(api.listProviders, () => {
      const processes = new Map(supervisor.list().map((process) => [process.name, process]))
      return {
        providers: demo.providers.map(({ publicKey: _, pin: __, ...provider }) => {
          const process = processes.get(provider.id)
          return {
            ...provider,
            state: process?.state ?? 'stopped',
            pid: process?.pid ?? null,
            because: process?.because ?? '',
          }
        }),
      }
    }),
    handles(api.stopProvider, async ({ actor }, { provider }) => {
      const process = await supervisor.stop(provider)
      await logAct(own, { topic: 'provider.stopped', about: provider, actor, facts: {} })
      return process
    }),
    handles(api.startProvider, async ({ actor }, { provider }) => {
      const process = await supervisor.start(provider)
      await logAct(own, { topic: 'provider.started', about: provider, actor, facts: {} })
      return process
    }),
    handles(api.getSupportBundle, () => supportBundle({ clock, supervisor, demo, data, startedAt, version })),
    handles(api.runDoctor, async () => ({ findings: await runDoctor({ clock, supervisor, demo, data }) })),
  ]
}
