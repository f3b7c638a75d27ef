import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ServerName } from '#api'
import type { AccessKey } from '#client'
import {
  accessConfig,
  type FederationConfig,
  federationUrlOf,
  federationConfig,
  type GatewayConfig,
  gatewayConfig,
  readConfig,
  roleOf,
} from './run/configuration.ts'
import { authorityFile as s3AuthorityFile, type Secure, secureBy } from './run/certificate-configuration.ts'
import { runSchema } from './demo/data-folder.ts'
import { hostError } from './errors.ts'

/** Where commands find what they ask: in the data folder of `pelago up`, or in the folder of one role. */
export type Place = {
  /** Of that server. @throws server.elsewhere */
  url(server: ServerName): string
  /** PEM: believed where a URL is `https:`. */
  authorityFile: string
  token: string
  /** The S3 endpoint, and the first key. @throws server.elsewhere, data.damaged */
  s3(): { endpoint: string; key: AccessKey; secure: Secure | undefined; host: string }
}

/** @throws data.absent */
export function placeOf(data: string): Place {
  const folder = resolve(data)
  if (existsSync(join(folder, 'run.json'))) return demoPlace(folder)
  const file = join(folder, 'config.json')
  if (!existsSync(file)) throw hostError('data.absent', { folder })
  const { role } = roleOf(file)
  const authorityFile = join(folder, 'authority.pem')
  const only = (found: ServerName, url: string) => (wanted: ServerName) => {
    if (wanted !== found) throw hostError('server.elsewhere', { folder, found, wanted })
    return url
  }
  if (role === 'federation') {
    const config = readConfig<FederationConfig>(file, federationConfig)
    const url = federationUrlOf(config)
    const elsewhere = () => hostError('server.elsewhere', { folder, found: role, wanted: 'gateway' })
    const s3 = () => {
      throw elsewhere()
    }
    return { url: only(role, url), authorityFile, token: tokenIn(config.tokenFile), s3 }
  }
  if (role === 'gateway') {
    const config = readConfig<GatewayConfig>(file, gatewayConfig)
    const host = nearOf(config.s3.host)
    const { hostnames, port } = config.s3
    const secure =
      config.certificate && secureBy(config.certificate, { host, hostnames }, join(config.folder, s3AuthorityFile))
    const s3 = () => ({ endpoint: endpointOf(secure, host, port), key: firstKey(config.accessFile), secure, host })
    return { url: only(role, plain(config.api)), authorityFile, token: tokenIn(config.tokenFile), s3 }
  }
  throw hostError('server.elsewhere', { folder, found: role, wanted: 'gateway or federation' })
}

function demoPlace(folder: string): Place {
  const { ports, secure, authorityFile } = readConfig(join(folder, 'run.json'), runSchema)
  const host = '127.0.0.1'
  return {
    url: (server) => `http${server === 'federation' && authorityFile ? 's' : ''}://127.0.0.1:${ports[server]}`,
    authorityFile: authorityFile ?? join(folder, 'federation', 'authority.pem'),
    token: tokenIn(join(folder, 'api-token')),
    s3: () => ({
      endpoint: endpointOf(secure, host, ports.s3),
      key: firstKey(join(folder, 'gateway', 'access.json')),
      ...{ secure, host },
    }),
  }
}

function firstKey(file: string): AccessKey {
  const [key] = readConfig(file, accessConfig).keys
  if (!key) throw hostError('data.damaged', { file, reason: 'it holds no key' })
  return key
}

const tokenIn = (file: string) => readFileSync(file, 'utf8').trim()

function endpointOf(secure: Secure | undefined, host: string, port: number): string {
  return secure ? `https://${secure.name}:${port}` : plain({ host, port })
}

/** Who listens on every address is asked on this machine's own. */
const nearOf = (host: string) => ({ '0.0.0.0': '127.0.0.1', '::': '::1' })[host] ?? host

function plain({ host, port }: { host: string; port: number }): string {
  const near = nearOf(host)
  return `http://${near.includes(':') ? `[${near}]` : near}:${port}`
}
