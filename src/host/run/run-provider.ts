import { createPrivateKey, createPublicKey } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { bundling, openNode, rawPublicKey, sharedKey } from '#storage'
import { systemClock } from '../clock.ts'
import { providerConfig, readConfig } from './configuration.ts'
import { openDisk } from '../disk/disk.ts'
import type { OpenLog } from '../log.ts'
import { observeRole } from '../observe/observe-role.ts'
import { providerChecks } from '../observe/role-checks.ts'
import { openRandom } from '../random.ts'
import type { Running } from './running.ts'
import { openShardServer } from '../shards/shard-server.ts'

const trashMs = 14 * 24 * 60 * 60 * 1000
const reserveBytes = 64 * 1024 * 1024
const purgeMs = 60 * 60 * 1000

/** A provider's process: one node over one folder, for the gateways that are enrolled. */
export async function runProvider(file: string, { log, watch }: OpenLog): Promise<Running> {
  const config = readConfig(file, providerConfig)
  mkdirSync(config.folder, { recursive: true, mode: 0o700 })
  const key = createPrivateKey(readFileSync(config.keyFile))
  const own = rawPublicKey(createPublicKey(key))
  const gateways = new Map(
    config.gateways.map(({ id, publicKey }) => {
      const gateway = Buffer.from(publicKey, 'hex')
      return [id, sharedKey(key, gateway, gateway, own)] as const
    }),
  )
  const ports = { clock: systemClock, random: openRandom(), log }
  const node = await openNode(
    { ...ports, disk: openDisk(config.folder) },
    { provider: config.id, quotaBytes: config.quotaBytes, trashMs, reserveBytes, ...bundling },
  )
  const observed = observeRole('provider', config.observe, { log, watch, id: config.id })
  const { metrics, report, tracer, checks, close } = observed
  checks(async () => providerChecks(config.folder, node.status(), reserveBytes))
  const server = await openShardServer(
    { ...ports, node, gateways, provider: config.id, metrics, report, tracer },
    config.shards,
  )
  const purge = () =>
    node.purge().then(
      (purged) => purged > 0 && log('info', 'trash.purged', { purged }),
      (error: unknown) => log('error', 'trash.unpurged', { reason: String(error) }),
    )
  const timer = setInterval(() => void purge(), purgeMs)
  void purge()
  return {
    stop: async () => {
      report.stopping()
      clearInterval(timer)
      await server.close()
      await close()
    },
  }
}
