import { createPrivateKey, createPublicKey } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Log } from '#kernel'
import { bundling, openNode, rawPublicKey } from '#storage'
import { systemClock } from '../clock.ts'
import { hostError } from '../errors.ts'
import { type ProviderConfig, providerConfig, readConfig } from './configuration.ts'
import { type DirectoryCopy, openDirectoryCopy } from './directory-copy.ts'
import { openEnrolledGateways } from './enrolled-gateways.ts'
import { type MemberLink, openMemberLink } from './member-link.ts'
import { openReportServer } from '../http/report-server.ts'
import { refusePlainListen } from '../tls/plain-address.ts'
import { gatewayJudge } from '../tls/gateway-judge.ts'
import { openRenewal } from '../tls/renewal.ts'
import { openRoleIdentity } from '../tls/role-identity.ts'
import { wantsTls } from '../tls/wants-tls.ts'
import { openDisk } from '../disk/disk.ts'
import type { OpenLog } from '../log.ts'
import { observeRole } from '../observe/observe-role.ts'
import { memberCheck, providerChecks } from '../observe/role-checks.ts'
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
  const gateways = openEnrolledGateways(key, own)
  const ports = { clock: systemClock, random: openRandom(), log }
  const identity =
    config.enrolled && openRoleIdentity(ports.clock, config.enrolled, { role: 'provider', id: config.id })
  const tls = wantsTls('shards', config.shards, identity)
  if (config.report) refusePlainListen('report', config.report, 'nobody but this machine asks there')
  const link = config.federation && openMemberLink(ports, config.federation.url, identity)
  let onChange = () => {}
  const directory = await takenDirectory(config, link, ports, () => onChange())
  gateways.take(directory ? (directory.current().gateways ?? []) : (config.gateways ?? []))
  const node = await openNode(
    { ...ports, disk: openDisk(config.folder) },
    { provider: config.id, quotaBytes: config.quotaBytes, trashMs, reserveBytes, ...bundling },
  )
  const observed = observeRole('provider', config.observe, { log, watch, id: config.id })
  const { metrics, report, tracer, checks, close } = observed
  const renewal = identity && link && openRenewal({ ...ports, metrics }, identity, link.renew)
  checks(async () => [
    ...providerChecks(config.folder, node.status(), reserveBytes),
    ...(renewal ? [renewal.check()] : []),
    ...(directory ? [memberCheck(directory.current().providers, { id: config.id, publicKey: own })] : []),
  ])
  const server = await openShardServer(
    { ...ports, node, gateways: gateways.keys, provider: config.id, metrics, report, tracer },
    { ...config.shards, tls: tls && { source: tls.source, judge: gatewayJudge(ports.clock, tls) } },
  )
  const beside = config.report && (await openReportServer(ports, config.report, report))
  onChange = () => {
    for (const id of gateways.take(directory?.current().gateways ?? [])) {
      const requests = server.endGateway(id)
      log('warn', 'gateway.revoked', { gateway: id, requests })
    }
  }
  // What came while the server was being opened.
  onChange()
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
      directory?.close()
      renewal?.close()
      link?.close()
      await beside?.close()
      await server.close()
      await close()
    },
  }
}

/** The copy of the directory that says which gateways are taken; undefined where a list of the configuration does. @throws gateways.source */
async function takenDirectory(
  { folder, federation, gateways }: ProviderConfig,
  link: MemberLink | undefined,
  { clock, log }: { clock: Clock; log: Log },
  onChange: () => void,
): Promise<DirectoryCopy | undefined> {
  if ((federation === undefined) === (gateways === undefined)) throw hostError('gateways.source')
  if (!federation || !link) return undefined
  const { publicKey } = federation
  return openDirectoryCopy({ file: join(folder, 'directory.json'), publicKey, link, clock, log }, onChange)
}
