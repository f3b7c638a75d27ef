import { createPrivateKey, createPublicKey } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { anyOf, localToken, sessionAuthentication } from '#access'
import { openSealedLog } from '#journal'
import { directoryFacts } from '#pool'
import { logAct, openGateway, signInOperations } from '#roles'
import { defaultLimits, openKeyStore, openKits, rawPublicKey, type ShardStore, sharedKey, storageError } from '#storage'
import { openEgress } from '../http/egress.ts'
import { openConsoleFiles } from '../http/console-files.ts'
import { openApiServer } from '../http/api-server.ts'
import { systemClock } from '../clock.ts'
import { checkGiven, openEndpointCertificate } from '../certificates/endpoint-certificate.ts'
import { checkEndpoints } from './certificate-configuration.ts'
import { isLoopback } from '../tls/plain-address.ts'
import { accessConfig, gatewayConfig, readConfig } from './configuration.ts'
import { openIndex, openKeys } from './open-databases.ts'
import { indexSchemas, keySchemas } from './schemas.ts'
import { openKeptHead } from './kept-head.ts'
import { openMemberLink } from './member-link.ts'
import { providerLink } from '../tls/provider-link.ts'
import { openRenewal } from '../tls/renewal.ts'
import { openRoleIdentity } from '../tls/role-identity.ts'
import { openDirectoryCopy } from './directory-copy.ts'
import { openS3Server } from '../http/http-s3.ts'
import { admissionOf, s3LimitsOf } from '../http/s3-limits.ts'
import { openTrustedProxies } from '../http/trusted-proxies.ts'
import type { OpenLog } from '../log.ts'
import { programVersion } from './program-version.ts'
import { openOffload } from '../offload/offload.ts'
import { openDatabaseMeter } from '../observe/database-metrics.ts'
import { watchGateway } from '../observe/gateway-metrics.ts'
import { observeRole } from '../observe/observe-role.ts'
import { gatewayChecks, memberCheck } from '../observe/role-checks.ts'
import { openTlsMeter } from '../observe/tls-metrics.ts'
import { openRandom } from '../random.ts'
import { consoleFolder, consoleOperations, s3Origin } from './console-operations.ts'
import { openSignIn } from './open-sign-in.ts'
import type { Running } from './running.ts'
import { kitFacts } from '../keys/kit-facts.ts'
import { openUnwrapClient } from '../keys/unwrap-client.ts'
import { openShardStore } from '../shards/shard-client.ts'

/** A gateway's process: wires every adapter to the ports of the role. */
export async function runGateway(file: string, { log, watch }: OpenLog): Promise<Running> {
  const config = readConfig(file, gatewayConfig)
  checkEndpoints(config)
  checkGiven(config, systemClock.now())
  const { keys } = readConfig(config.accessFile, accessConfig)
  const clock = systemClock
  const random = openRandom()
  const offload = openOffload()
  const observed = observeRole('gateway', config.observe, { log, watch, id: config.id })
  const { metrics, tracer } = observed
  const s3Limits = s3LimitsOf(config.s3Limits)
  const { networks = [], header } = config.trustedProxies ?? {}
  const proxies = openTrustedProxies(networks, header)
  const key = createPrivateKey(readFileSync(config.keyFile))
  const own = rawPublicKey(createPublicKey(key))

  const identity = config.enrolled && openRoleIdentity(clock, config.enrolled, { role: 'gateway', id: config.id })
  const link = openMemberLink({ clock, random }, config.federation.url, identity)
  const stores = new Map<string, ShardStore & { close(): void }>()
  const closeStores = () => {
    for (const store of stores.values()) store.close()
    stores.clear()
  }
  // An endpoint may have moved with a new directory; connections are made anew when they are next wanted.
  let stateDirectory = () => {}
  const directoryFile = join(config.folder, 'directory.json')
  const first = !existsSync(directoryFile)
  const directory = await openDirectoryCopy(
    { file: directoryFile, publicKey: config.federation.publicKey, link, clock, log },
    () => {
      closeStores()
      stateDirectory()
    },
  )
  const shards = (id: string): ShardStore => {
    const open = stores.get(id)
    if (open) return open
    const provider = directory.current().providers.find((member) => member.id === id)
    if (!provider) throw storageError('shard.unreachable', { provider: id, reason: 'it is not in the directory' })
    const theirs = Buffer.from(provider.publicKey, 'hex')
    const keys = { gateway: config.id, shared: sharedKey(key, theirs, own, theirs) }
    const store = openShardStore(
      { clock, random, metrics, tracer },
      provider,
      keys,
      providerLink({ clock }, identity, provider),
    )
    stores.set(id, store)
    return store
  }

  const index = await openIndex(config, indexSchemas, openDatabaseMeter(metrics, 'index'))
  const keyDatabase = await openKeys(config, keySchemas, openDatabaseMeter(metrics, 'keys'))
  const holder = Buffer.from(config.unwrap.publicKey, 'hex')
  const root = openUnwrapClient(
    { clock },
    { socket: config.unwrap.socket, gateway: config.id, shared: sharedKey(key, holder, own, holder) },
  )
  const keyStore = openKeyStore({ clock, database: keyDatabase, random, root, log })
  const journal = { nameKey: await keyStore.secret('log names') }
  const kept = openKeptHead(join(config.folder, `log-head-${config.id}`))
  const sealedLog = await openSealedLog({ database: index, clock, log, random, journal, secret: keyStore.secret, kept })
  stateDirectory = () => {
    const act = {
      topic: 'directory.taken',
      about: config.id,
      actor: 'system',
      facts: directoryFacts(directory.current()),
    } as const
    logAct({ index, clock, journal }, act).catch((error: unknown) =>
      log('warn', 'log.unstated', { reason: error instanceof Error ? error.message : String(error) }),
    )
  }
  if (first) stateDirectory()
  const shown = { clock, random, log, metrics, journal, database: index, secret: keyStore.secret }
  const endpoint = await openEndpointCertificate(shown, config)
  const gateway = await openGateway(
    {
      clock,
      random,
      offload,
      log,
      metrics,
      ...(tracer && { spans: tracer }),
      index,
      keys: keyStore,
      rootCounts: root.counts,
      kits: openKits(
        { clock, database: index, journal, root },
        { ...kitFacts(config), required: config.demo !== true },
      ),
      journal,
      sealedLog,
      jobs: endpoint.jobs,
      directory: directory.current,
      shards,
      egress: openEgress({ origins: config.egress?.origins ?? [] }),
    },
    {
      name: { id: config.id, role: 'gateway', version: programVersion() },
      firstKeys: keys,
      s3: { region: config.s3.region, hostnames: config.s3.hostnames, admission: admissionOf(s3Limits) },
      limits: { ...defaultLimits, ...(config.packBytes !== undefined && { packBytes: config.packBytes }) },
    },
  )
  const token = readFileSync(config.tokenFile, 'utf8').trim()
  const tenant = keys[0]?.tenant ?? ''
  const signIn = openSignIn({ database: index, clock, random, log, journal }, config, tenant)
  const authenticate = anyOf([sessionAuthentication(signIn), localToken(token, tenant)])
  const handlers = [...gateway.operations, ...signInOperations(signIn), ...consoleOperations(config)]
  const self = { storage: gateway.storage, directory: directory.current, now: clock.now }
  watchGateway(metrics, self)
  const renewal = identity && openRenewal({ clock, log, random, metrics }, identity, link.renew)
  observed.checks(async () => [
    ...(renewal ? [renewal.check()] : []),
    ...(await gatewayChecks(self)),
    ...endpoint.checks(),
    ...(config.enrolled ? [memberCheck(directory.current().gateways ?? [], { id: config.id, publicKey: own })] : []),
  ])
  const beside = {
    proxies,
    report: observed.report,
    meter: observed.apiMeter,
    tlsMeter: openTlsMeter(metrics),
    answers: index,
    pages: openConsoleFiles(consoleFolder, s3Origin(config)),
  }
  const api = await openApiServer(
    { handlers, authenticate, clock, random, log, ...beside },
    {
      ...config.api,
      // On loopback programs of this machine ask, such as the command line; nobody is on the way.
      tls: isLoopback(config.api.host) ? undefined : endpoint.tls,
    },
  )
  const s3Ports = { handle: gateway.s3, clock, log, metrics, tracer, proxies }
  const s3 = await openS3Server(s3Ports, { ...config.s3, tls: endpoint.tls }, s3Limits)
  return {
    async stop() {
      observed.report.stopping()
      await s3.close()
      await api.close()
      await gateway.stop()
      await endpoint.close()
      directory.close()
      renewal?.close()
      link.close()
      closeStores()
      root.close()
      await index.close()
      await keyDatabase.close()
      await offload.close()
      await observed.close()
    },
  }
}
