import { createHash, type KeyObject, randomBytes, randomInt } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fields, integer, list, optional, record, text } from '#api'
import { demoPool, type Provider } from '#pool'
import type { Log } from '#kernel'
import { pinOfKey } from '#trust'
import { systemClock } from '../clock.ts'
import { openRandom } from '../random.ts'
import {
  type AccessConfig,
  accessConfig,
  type FederationConfig,
  type GatewayConfig,
  type ProviderConfig,
  readConfig,
  type Role,
  type UnwrapConfig,
} from '../run/configuration.ts'
import type { PostgresConfig } from '../database/postgres-address.ts'
import { authorityFile, certificateConfig, type Secure, secureBy } from '../run/certificate-configuration.ts'
import { edgeLimits, observeConfig, proxiesConfig } from '../run/observe-configuration.ts'
import { freePort } from '../http/free-port.ts'
import { freshAccess } from '../run/fresh-access.ts'
import { keyIn, publicHexOf } from '../run/own-keys.ts'
import { enrolDemo } from './enrol-demo.ts'
import { keepPrivate, writePrivate, writePrivateJson } from '../disk/write-file.ts'

const host = '127.0.0.1'
const region = 'eu-central-1'
const firstPort = 4100
const anyPort = 20_000
const anyPorts = 12_000
const portsSchema = fields({ ports: record(integer({ min: 1, max: 65_535 }), 1000) })

/** What whoever runs it has written down himself, in `settings.json` of the data folder; it holds from the next start on. */
const settingsSchema = fields({
  observe: optional(observeConfig),
  s3Limits: optional(edgeLimits),
  trustedProxies: optional(proxiesConfig),
  /** Under which names S3 is reached beside its address; those that stand for this machine without. */
  hostnames: optional(list(text({ min: 1, max: 253 }), 16)),
  certificate: optional(certificateConfig),
  /** With `--tls`: how long certificates of roles are good, seconds. */
  certificateSeconds: optional(integer({ min: 10, max: 30 * 24 * 60 * 60 })),
})

/** One process to be run. `about`: where it says how it is. */
export type ProcessPlan = {
  name: string
  role: Role
  config: string
  url: string
  about: string
}

/**
 * `gateways`: processes over the same index, which serve one S3 endpoint together, or with `separatePorts` one each.
 * `kit`: buckets are refused before a recovery kit was tested, as outside a demo. `packBytes`: objects up to this size share
 * packs; the gateway's own choice without. `index`: the PostgreSQL database of the index; a SQLite file without. The keys stay in
 * the data folder, which all gateways of this machine share. `tls`: roles speak TLS to each other.
 */
export type DemoOptions = {
  gateways: number
  separatePorts?: boolean
  kit?: boolean
  packBytes?: number
  index?: PostgresConfig
  tls?: boolean
}

/** A whole federation on this machine, written down in a data folder. */
export type DemoFederation = {
  processes: ProcessPlan[]
  providers: Provider[]
  ports: { supervisor: number; gateway: number; federation: number; s3: number }
  /** Where the federation answers. */
  federation: string
  /** The certificate of the federation's authority, where it answers by TLS. */
  authorityFile: string | undefined
  access: AccessConfig['keys'][number]
  token: string
  /** What `/metrics` wants, where a token was set for it. */
  metricsToken: string | undefined
  region: string
  /** Of S3: one, or one for each gateway. */
  endpoints: string[]
  /** How S3 is secured; undefined where it is plain. */
  secure: Secure | undefined
}

/**
 * Writes the configuration of every process. Keys are made once; ports are kept while they are free, so that a restart
 * changes nothing, and chosen anew when somebody else has them.
 * @param s3Port 0 for any
 * @throws port.taken for the S3 port, port.none
 */
export async function prepareDemo(
  folder: string,
  s3Port: number,
  log: Log,
  options: DemoOptions = { gateways: 1 },
): Promise<DemoFederation> {
  const at = (...parts: string[]) => join(folder, ...parts)
  const gateways = Array.from({ length: options.gateways }, (_, at) => (at === 0 ? 'gateway' : `gateway-${at + 1}`))
  const own = (id: string) => (options.separatePorts && id !== 'gateway' ? `s3-${id}` : 's3')
  const further = [...new Set(gateways.map(own))].filter((name) => name !== 's3')
  const { tls = false } = options
  // Where only gateways are let in, providers say how they are elsewhere.
  const reports = tls ? demoPool.map(({ id }) => reportOf(id)) : []
  const ports = await choosePorts(at('ports.json'), s3Port, [...gateways, ...further, ...reports])
  keepPrivate(at('api-token'), () => `${randomBytes(32).toString('hex')}\n`)
  keepPrivate(at('gateway', 'access.json'), () => `${JSON.stringify({ keys: [freshAccess('demo')] }, null, 2)}\n`)

  const federationKey = publicHexOf(keyIn(at('federation', 'key.pem'), 'ed25519'))
  const gatewayKeys = gateways.map((id) => ({ id, publicKey: publicHexOf(keyIn(at(id, 'key.pem'), 'x25519')) }))
  const identities = new Map(
    [
      ...gateways.map((id) => [id, at(id)] as const),
      ...demoPool.map(({ id }) => [id, at('providers', id)] as const),
    ].map(([id, folder]) => [id, keyIn(join(folder, 'identity.pem'), 'p256')] as const),
  )
  const quotaBytes = quotaOf(folder)
  const scheme = tls ? 'https' : 'http'
  const providers: Provider[] = demoPool.map((facts) => ({
    ...facts,
    endpoint: `${scheme}://${host}:${portOf(ports, facts.id)}`,
    publicKey: publicHexOf(keyIn(at('providers', facts.id, 'key.pem'), 'x25519')),
    pin: pinOfKey(identities.get(facts.id) as KeyObject),
    capacityBytes: quotaBytes,
  }))

  const settings = existsSync(at('settings.json')) ? readConfig(at('settings.json'), settingsSchema) : {}
  const observe = settings.observe && { observe: settings.observe }
  const processes: ProcessPlan[] = []
  const add = (
    name: string,
    role: ProcessPlan['role'],
    url: string,
    config: FederationConfig | ProviderConfig | UnwrapConfig | GatewayConfig,
  ) => {
    const file = role === 'provider' ? at('providers', name, 'config.json') : at(name, 'config.json')
    const text = `${JSON.stringify(config, null, 2)}\n`
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writePrivate(file, text)
    const about = aboutOf(config, url)
    processes.push({ name, role, config: file, url, about })
  }
  const url = `${scheme}://${host}:${portOf(ports, 'federation')}`
  const federation: FederationConfig = {
    version: 1,
    role: 'federation',
    folder: at('federation'),
    api: { host, port: portOf(ports, 'federation'), ...(tls && { tls }) },
    tokenFile: at('api-token'),
    keyFile: at('federation', 'key.pem'),
    ...(settings.certificateSeconds !== undefined && { certificateSeconds: settings.certificateSeconds }),
    ...observe,
  }
  add('federation', 'federation', url, federation)
  const source = { url, publicKey: federationKey }
  const enrolledIn = (folder: string) => ({
    identityFile: join(folder, 'identity.pem'),
    certificateFile: join(folder, 'certificate.pem'),
    authorityFile: join(folder, 'authority.pem'),
  })
  for (const { id, endpoint } of providers) {
    add(id, 'provider', endpoint, {
      version: 1,
      role: 'provider',
      id,
      folder: at('providers', id, 'store'),
      shards: { host, port: portOf(ports, id), ...(tls && { tls }) },
      ...(tls && { report: { host, port: portOf(ports, reportOf(id)) } }),
      keyFile: at('providers', id, 'key.pem'),
      quotaBytes,
      federation: source,
      enrolled: enrolledIn(at('providers', id)),
      ...observe,
    })
  }
  const socket = socketIn(at('unwrap'))
  moveRootKey(at('gateway', 'root.key'), at('unwrap', 'root.key'))
  const unwrapKey = publicHexOf(keyIn(at('unwrap', 'key.pem'), 'x25519'))
  add('unwrap', 'unwrap', `unix:${socket}`, {
    version: 1,
    role: 'unwrap',
    socket,
    keyFile: at('unwrap', 'key.pem'),
    gateways: gatewayKeys,
    root: { kind: 'file', file: at('unwrap', 'root.key') },
  })
  const shared = gateways.length > 1 && !options.separatePorts
  const { hostnames = ['localhost', 's3.localhost'] } = settings
  const secure =
    settings.certificate && secureBy(settings.certificate, { host, hostnames }, at('gateway', authorityFile))
  for (const id of gateways) {
    add(id, 'gateway', `http://${host}:${portOf(ports, own(id))}`, {
      version: 1,
      role: 'gateway',
      id,
      folder: at('gateway'),
      ...(options.index && { index: options.index }),
      s3: {
        host,
        port: portOf(ports, own(id)),
        region,
        hostnames,
        ...(shared && { shared }),
      },
      api: { host, port: portOf(ports, id) },
      ...(settings.certificate && { certificate: settings.certificate }),
      tokenFile: at('api-token'),
      keyFile: at(id, 'key.pem'),
      unwrap: { socket, publicKey: unwrapKey },
      ...(!options.kit && { demo: true }),
      accessFile: at('gateway', 'access.json'),
      supervisor: { url: `http://${host}:${portOf(ports, 'supervisor')}`, tokenFile: at('api-token') },
      federation: source,
      enrolled: enrolledIn(at(id)),
      ...observe,
      ...(settings.s3Limits && { s3Limits: settings.s3Limits }),
      ...(settings.trustedProxies && { trustedProxies: settings.trustedProxies }),
      ...(options.packBytes !== undefined && { packBytes: options.packBytes }),
    })
  }
  const enrolling = providers.map(({ id, publicKey, endpoint, capacityBytes, pin: _, ...facts }) => ({
    ...{ id, publicKey, endpoint, capacityBytes, facts, folder: at('providers', id) },
    directoryFile: at('providers', id, 'store', 'directory.json'),
  }))
  const members = [...enrolling, ...gatewayKeys.map((gateway) => ({ ...gateway, facts: null, folder: at(gateway.id) }))]
  await enrolDemo(
    { clock: systemClock, log, random: openRandom() },
    federation,
    members.map((member) => ({ ...member, identity: identities.get(member.id) as KeyObject })),
  )
  const metricsFile = settings.observe?.metricsTokenFile
  const [access] = readConfig(at('gateway', 'access.json'), accessConfig).keys
  return {
    processes,
    providers,
    federation: url,
    authorityFile: tls ? at('federation', 'authority.pem') : undefined,
    ports: {
      supervisor: portOf(ports, 'supervisor'),
      gateway: portOf(ports, 'gateway'),
      federation: portOf(ports, 'federation'),
      s3: portOf(ports, 's3'),
    },
    access: access as AccessConfig['keys'][number],
    token: readFileSync(at('api-token'), 'utf8').trim(),
    metricsToken: metricsFile === undefined ? undefined : readFileSync(metricsFile, 'utf8').trim(),
    region,
    endpoints: ['s3', ...further].map((name) => endpointAt(secure, portOf(ports, name))),
    secure,
  }
}

const endpointAt = (secure: Secure | undefined, port: number) =>
  secure ? `https://${secure.name}:${port}` : `http://${host}:${port}`

const reportOf = (id: string) => `${id}-report`

/** Where a role says how it is: beside its API, or where it has none beside its work, or on a port of its own. */
function aboutOf(config: FederationConfig | ProviderConfig | UnwrapConfig | GatewayConfig, url: string): string {
  if ('report' in config && config.report) return `http://${host}:${config.report.port}`
  if ('s3' in config) return `http://${host}:${config.api.port}`
  return url
}

/** Folders of before had the root key beside what it opens. */
function moveRootKey(from: string, to: string): void {
  if (!existsSync(from) || existsSync(to)) return
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 })
  renameSync(from, to)
}

/** The name of a Unix socket may have 103 bytes on some systems; below a longer folder it lies in one for the moment. */
function socketIn(folder: string): string {
  const path = join(folder, 'socket')
  if (Buffer.byteLength(path) <= 100) return path
  const id = createHash('sha256').update(path).digest('hex').slice(0, 16)
  return join(tmpdir(), `pelago-${id}`, 'socket')
}

async function choosePorts(file: string, s3Port: number, further: string[]): Promise<Record<string, number>> {
  const kept = existsSync(file) ? readConfig(file, portsSchema).ports : {}
  const ports: Record<string, number> = {}
  const taken = new Set<number>()
  const names = ['supervisor', 'federation', ...demoPool.map(({ id }) => id), ...further]
  if (s3Port !== 0) taken.add(s3Port)
  // Who wants any port wants to meet nobody: several may start at the same time.
  const from = s3Port === 0 ? anyPort + randomInt(anyPorts) : firstPort
  for (const name of names) {
    const port = await freePort(host, kept[name] ?? from, taken)
    ports[name] = port
    taken.add(port)
  }
  ports.s3 = s3Port === 0 ? await freePort(host, kept.s3 ?? from, taken) : s3Port
  writePrivateJson(file, { ports })
  return ports
}

const portOf = (ports: Record<string, number>, name: string) => ports[name] as number

/** Seven providers share one disk here: each may use a tenth of what is free now, so that three tenths stay. */
function quotaOf(folder: string): number {
  const file = join(folder, 'quota.json')
  const schema = fields({ bytes: integer({ min: 0 }) })
  if (!existsSync(file)) {
    const { bavail, bsize } = statfsSync(folder)
    writePrivateJson(file, { bytes: Math.floor((bavail * bsize) / 10) })
  }
  return readConfig(file, schema).bytes
}
