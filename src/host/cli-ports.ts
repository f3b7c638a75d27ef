import { createHash, X509Certificate } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, rmSync } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { join, resolve } from 'node:path'
import type { CliPorts } from '#cli'
import { type ApiRequest, type ClientPorts, type ObjectTransport, openClient, openObjects } from '#client'
import { systemClock } from './clock.ts'
import { placeOf } from './cli-place.ts'
import type { Secure } from './run/certificate-configuration.ts'
import { writePrivate } from './disk/write-file.ts'
import { callApi } from './http/api-call.ts'
import { openCallback } from './http/callback.ts'
import { hostError } from './errors.ts'
import { openRandom } from './random.ts'
import { programVersion } from './run/program-version.ts'

const answerMs = 130_000
const silentMs = 120_000

// Who reads our output may stop reading, as `head` does; that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

/** The machine under the command line. */
export const cliPorts: CliPorts = {
  up: async (options) => (await import('./demo/up.ts')).up(options),
  database: async (action, input) => (await import('./run/database-command.ts')).databaseCommand(action, input),
  initFederation: async (input) => (await import('./enrol/init-federation.ts')).initFederation(input),
  joinAsProvider: async (code, options) => (await import('./enrol/join-federation.ts')).joinAsProvider(code, options),
  joinAsGateway: async (code, options) => (await import('./enrol/join-federation.ts')).joinAsGateway(code, options),
  run: async ({ config, log }) => (await import('./run/run-role.ts')).runRole(config, log),
  client: (data, as) => openClient({ ...transportOf(data, as), clock: systemClock, random: openRandom() }),
  keepSession(data, token) {
    if (token === undefined) rmSync(sessionFile(data), { force: true })
    else writePrivate(sessionFile(data), `${token}\n`)
  },
  openCallback,
  wait: (ms) => new Promise((resolve) => void systemClock.after(ms, resolve)),
  objects(data) {
    const { endpoint, key, secure, host } = placeOf(data).s3()
    return openObjects({ clock: systemClock, send: sendBy(secure, host) }, endpoint, key)
  },
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  readText: (file) => found(file, readFile(file, 'utf8')),
  async source(file) {
    const { size } = await found(file, stat(file))
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
    return { size, sha256: hash.digest('hex'), chunks: () => createReadStream(file) as AsyncIterable<Uint8Array> }
  },
  async save(file, bytes) {
    if (file === '-') {
      for await (const chunk of bytes) {
        if (!process.stdout.write(chunk)) await new Promise((resolve) => process.stdout.once('drain', resolve))
      }
      return
    }
    const handle = await open(file, 'wx').catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? hostError('file.exists', { file }, error) : error
    })
    try {
      for await (const chunk of bytes) await handle.writeFile(chunk)
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
  // Loaded when they are wanted: they are for those who may read the root key.
  keys: {
    rotateRoot: async (place) => (await import('./keys/key-tools.ts')).rotateRoot(place),
    makeKit: async (place) => (await import('./keys/kit-tools.ts')).writeKit(place),
    testKit: async (input) => (await import('./keys/kit-tools.ts')).testKit(input),
    restoreKit: async (input) => (await import('./keys/kit-tools.ts')).restoreKit(input),
    retireRoots: async (place, newest) => (await import('./keys/key-tools.ts')).retireRoots(place, newest),
  },
  now: () => systemClock.now(),
  contract: async () => ({ errors: (await import('./error-rows.ts')).errorRows, version: programVersion() }),
}

const sessionFile = (data: string) => join(resolve(data), 'cli-session')

function transportOf(data: string, as?: 'machine'): Pick<ClientPorts, 'send' | 'stream'> {
  const place = placeOf(data)
  // Only gateways know people.
  const session =
    as === undefined && existsSync(sessionFile(data)) ? readFileSync(sessionFile(data), 'utf8').trim() : undefined
  const headersOf = ({ server, headers }: ApiRequest) => ({
    ...headers,
    authorization: `Bearer ${(server === 'gateway' ? session : undefined) ?? place.token}`,
  })
  return {
    async send(request) {
      const url = place.url(request.server)
      const agent = url.startsWith('https:') ? await secureAgent(url, place.authorityFile) : undefined
      try {
        return await callApi({ ...request, url, headers: headersOf(request), agent }, answerMs)
      } finally {
        agent?.destroy()
      }
    },
    async stream(request) {
      const url = place.url(request.server)
      const { signal } = request
      const { status, body } = await fetch(url + request.path, {
        headers: headersOf(request),
        ...(signal && { signal }),
      }).catch((error: unknown) => {
        throw hostError('connect.refused', { url }, error)
      })
      return { status, body: (body ?? []) as AsyncIterable<Uint8Array> }
    },
  }
}

/** Loaded where it is needed: most commands ask this machine, where nobody is on the wire. */
async function secureAgent(url: string, authorityFile: string) {
  const { federationAgent } = await import('./enrol/federation-link.ts')
  return federationAgent({ clock: systemClock }, url, new X509Certificate(readFileSync(authorityFile)))
}

/** To S3 on this machine, whatever its name means elsewhere. */
const sendBy = (secure: Secure | undefined, host: string) => {
  const settings = secure && secureSettings(secure, host)
  const send: ObjectTransport = ({ method, url, headers, body }) =>
    new Promise((resolve, reject) => {
      const begin = settings ? httpsRequest : httpRequest
      const request = begin(url, { method, headers, timeout: silentMs, ...settings }, (response) => {
        const found: Record<string, string> = {}
        for (const [name, value] of Object.entries(response.headers)) if (typeof value === 'string') found[name] = value
        resolve({ status: response.statusCode ?? 0, headers: found, body: response as AsyncIterable<Uint8Array> })
      })
      request.on('timeout', () =>
        request.destroy(hostError('connect.slow', { url: url.origin, seconds: silentMs / 1000 })),
      )
      request.on('error', (error: NodeJS.ErrnoException) => {
        const gone = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(error.code ?? '')
        reject(gone ? hostError('connect.refused', { url: url.origin }, error) : error)
      })
      void (async () => {
        try {
          for await (const chunk of body ?? []) {
            if (!request.write(chunk)) await new Promise((resolve) => request.once('drain', resolve))
          }
          request.end()
        } catch (error) {
          request.destroy(error instanceof Error ? error : new Error(String(error)))
        }
      })()
    })
  return send
}

function secureSettings({ trust }: Secure, host: string) {
  const family = isIP(host) === 6 ? 6 : 4
  const lookup: LookupFunction = (_, { all }, found) =>
    all ? found(null, [{ address: host, family }]) : found(null, host, family)
  // A given certificate is trusted as it lies there: whoever may change the file may change everything.
  return trust === undefined ? { lookup } : { lookup, ca: textIn(trust), allowPartialTrustChain: true }
}

function textIn(file: string): string {
  if (!existsSync(file)) throw hostError('file.missing', { file })
  return readFileSync(file, 'utf8')
}

async function found<T>(file: string, action: Promise<T>): Promise<T> {
  try {
    return await action
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw hostError('file.missing', { file }, error)
    throw error
  }
}
