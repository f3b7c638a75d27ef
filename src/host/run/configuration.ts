import { readFileSync } from 'node:fs'
import { choice, exactly, faultOf, fields, flag, integer, list, optional, type Schema, type Static, text } from '#api'
import { certificateConfig } from './certificate-configuration.ts'
import { signInConfig } from './sign-in-configuration.ts'
import { hostError } from '../errors.ts'
import { isLoopback } from '../tls/plain-address.ts'
import { edgeLimits, observeConfig, proxiesConfig } from './observe-configuration.ts'

const address = { host: text({ min: 1 }), port: integer({ min: 0, max: 65_535 }) }
/** `tls`: whether TLS is spoken there; without it is, wherever others can listen in. */
const roleAddress = fields({ ...address, tls: optional(flag()) })
const hex = (bytes: number) => text({ pattern: `^[0-9a-f]{${bytes * 2}}$`, means: `must be ${bytes} bytes in hex` })
const path = text({ min: 1, max: 4096 })
const database = fields({ postgres: text({ min: 1, max: 4096 }), passwordFile: optional(path) })
const member = fields({
  id: text(),
  name: text(),
  endpoint: text(),
  publicKey: hex(32),
  pin: optional(hex(32)),
  country: text(),
  owner: text(),
  ownerCountry: text(),
  attestations: list(text(), 100),
  capacityBytes: integer({ min: 0 }),
})

/** What each process reads at its start. Keys and tokens lie in files of their own, named here. */
export const federationConfig = fields({
  version: exactly(1),
  role: text({ pattern: '^federation$' }),
  folder: path,
  api: roleAddress,
  /** Where other machines reach the API; `http://HOST:PORT` of `api` without. */
  url: optional(text({ pattern: '^https?://[^/]+$', means: 'must be a URL such as https://HOST:PORT' })),
  tokenFile: path,
  keyFile: path,
  /** Providers of before there were invitations: taken in where they are not known. */
  members: optional(list(member, 1000)),
  /** How long certificates of members are good, seconds; thirty days without. */
  certificateSeconds: optional(integer({ min: 10, max: 30 * 24 * 60 * 60 })),
  observe: optional(observeConfig),
})
/** Where directories come from, and by which key they are signed. */
const federation = fields({ url: text(), publicKey: hex(32) })
/** What a member got when it joined. */
const enrolled = fields({ identityFile: path, certificateFile: path, authorityFile: path })
export const providerConfig = fields({
  version: exactly(1),
  role: text({ pattern: '^provider$' }),
  id: text(),
  folder: path,
  shards: roleAddress,
  /** Where `/healthz`, `/readyz` and `/metrics` answer on this machine without TLS; where shards are served by TLS only gateways can ask there. */
  report: optional(fields(address)),
  keyFile: path,
  quotaBytes: integer({ min: 0 }),
  /** Whose directory says which gateways are taken. */
  federation: optional(federation),
  /** Without a federation: the gateways that are taken. */
  gateways: optional(list(fields({ id: text(), publicKey: hex(32) }), 1000)),
  enrolled: optional(enrolled),
  observe: optional(observeConfig),
})
/** The process that holds the root key and wraps the keys of epochs for gateways. */
export const unwrapConfig = fields({
  version: exactly(1),
  role: text({ pattern: '^unwrap$' }),
  socket: path,
  /** Whether the socket's group may connect too: for gateways that run as another user. */
  group: optional(flag()),
  keyFile: path,
  gateways: list(fields({ id: text({ min: 1, max: 64 }), publicKey: hex(32) }), 1000),
  /** Questions of one gateway: so many a second, and so many at once after a rest. */
  perSecond: optional(integer({ min: 1, max: 1_000_000 })),
  burst: optional(integer({ min: 1, max: 1_000_000 })),
  root: fields({
    kind: choice('file', 'transit', 'pkcs11'),
    /** `file`: made when it is missing. With a passphrase, which lies in a file of its own, it is sealed. */
    file: optional(path),
    passphraseFile: optional(path),
    /** `transit`: OpenBao or Vault. */
    url: optional(text({ min: 1 })),
    tokenFile: optional(path),
    mount: optional(text({ min: 1, max: 200, pattern: '^[A-Za-z0-9/_-]+$' })),
    key: optional(text({ min: 1, max: 200 })),
    caFile: optional(path),
  }),
})
export const gatewayConfig = fields({
  version: exactly(1),
  role: text({ pattern: '^gateway$' }),
  id: text(),
  folder: path,
  /** A PostgreSQL database; without, a SQLite file in the folder. The two are never the same database. */
  index: optional(database),
  keys: optional(database),
  /** `shared`: other gateways of this machine listen on the same port; all work on the same folder. */
  s3: fields({ ...address, region: text({ min: 1 }), hostnames: list(text(), 16), shared: optional(flag()) }),
  api: fields(address),
  /** What the S3 endpoint shows, and the API where it is not on loopback. Without one both are plain, on loopback only. */
  certificate: optional(certificateConfig),
  tokenFile: path,
  keyFile: path,
  /** The process that holds the root key. */
  unwrap: fields({ socket: path, publicKey: hex(32) }),
  /** Buckets are created although no recovery kit was tested. */
  demo: optional(flag()),
  accessFile: path,
  federation,
  enrolled: optional(enrolled),
  signIn: optional(signInConfig),
  /** The supervisor of the demo, which stops invented providers for whoever may ask. */
  supervisor: optional(fields({ url: text({ min: 1 }), tokenFile: path })),
  /** Who may be asked although it is on a private network, over plain HTTP or on another port than 443. */
  egress: optional(fields({ origins: list(text({ min: 1, max: 300 }), 100) })),
  /** Objects up to this size share packs; 0: each is written for itself. */
  packBytes: optional(integer({ min: 0, max: 1024 * 1024 })),
  observe: optional(observeConfig),
  s3Limits: optional(edgeLimits),
  trustedProxies: optional(proxiesConfig),
})
export const accessConfig = fields({
  keys: list(
    fields({ id: text({ min: 3 }), secret: text({ min: 16 }), tenant: text({ min: 1, max: 64 }), actor: text() }),
    1000,
  ),
})

export type FederationConfig = Static<typeof federationConfig>
export type ProviderConfig = Static<typeof providerConfig>
export type UnwrapConfig = Static<typeof unwrapConfig>
export type GatewayConfig = Static<typeof gatewayConfig>
export type AccessConfig = Static<typeof accessConfig>

/** Where a federation's API is reached: as its configuration says, or where it listens. */
export function federationUrlOf({ url, api: { host, port, tls = !isLoopback(host) } }: FederationConfig): string {
  return url ?? `http${tls ? 's' : ''}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Reads a JSON file of a known shape. @throws data.damaged, file.missing */
export function readConfig<T>(file: string, schema: Schema<T>): T {
  const value = readJson(file)
  const fault = faultOf(schema, value)
  if (fault) throw hostError('data.damaged', { file, reason: `${fault.path} ${fault.fault}` })
  return value as T
}

const roles = ['federation', 'provider', 'unwrap', 'gateway'] as const
export type Role = (typeof roles)[number]

/** The role that a configuration is for, and who plays it. @throws role.unknown */
export function roleOf(file: string): { role: Role; id: string } {
  const { role, id } = readJson(file) as { role?: unknown; id?: unknown }
  const known = roles.find((one) => one === role)
  if (!known) throw hostError('role.unknown', { role: String(role) })
  return { role: known, id: typeof id === 'string' ? id : '' }
}

function readJson(file: string): unknown {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw hostError('file.missing', { file }, error)
    throw error
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw hostError('data.damaged', { file, reason: error instanceof Error ? error.message : String(error) }, error)
  }
}
