import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, rmSync } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import { join, resolve } from 'node:path'
import type { CliPorts } from '#cli'
import { type ApiRequest, type ClientPorts, type ObjectTransport, openClient, openObjects } from '#client'
import { systemClock } from './clock.ts'
import { accessConfig, readConfig } from './run/configuration.ts'
import type { Secure } from './demo/demo-federation.ts'
import { runSchema } from './demo/data-folder.ts'
import { writePrivate } from './disk/write-file.ts'
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
  run: async ({ config, log }) => (await import('./run/run-role.ts')).runRole(config, log),
  client: (data, as) => openClient({ ...transportOf(data, as), clock: systemClock, random: openRandom() }),
  keepSession(data, token) {
    if (token === undefined) rmSync(sessionFile(data), { force: true })
    else writePrivate(sessionFile(data), `${token}\n`)
  },
  openCallback,
  wait: (ms) => new Promise((resolve) => void systemClock.after(ms, resolve)),
  objects(data) {
    const { ports, secure } = runOf(data)
    const [key] = readConfig(join(resolve(data), 'gateway', 'access.json'), accessConfig).keys
    if (!key) throw hostError('data.damaged', { file: 'gateway/access.json', reason: 'it holds no key' })
    const endpoint = secure ? `https://${secure.name}:${ports.s3}` : `http://127.0.0.1:${ports.s3}`
    return openObjects({ clock: systemClock, send: sendBy(secure) }, endpoint, key)
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
  now: () => systemClock.now(),
  contract: async () => ({ errors: (await import('./error-rows.ts')).errorRows, version: programVersion() }),
}

function runOf(data: string) {
  const file = join(resolve(data), 'run.json')
  if (!existsSync(file)) throw hostError('data.absent', { folder: resolve(data) })
  return readConfig(file, runSchema)
}

const sessionFile = (data: string) => join(resolve(data), 'cli-session')

function transportOf(data: string, as?: 'machine'): Pick<ClientPorts, 'send' | 'stream'> {
  const { ports } = runOf(data)
  const token = readFileSync(join(resolve(data), 'api-token'), 'utf8').trim()
  // Only gateways know people.
  const session =
    as === undefined && existsSync(sessionFile(data)) ? readFileSync(sessionFile(data), 'utf8').trim() : undefined
  const urlOf = ({ server }: ApiRequest) => `http://127.0.0.1:${ports[server]}`
  const begin = (request: ApiRequest, signal: AbortSignal | undefined) =>
    fetch(urlOf(request) + request.path, {
      method: request.method,
      headers: {
        ...request.headers,
        authorization: `Bearer ${(request.server === 'gateway' ? session : undefined) ?? token}`,
        ...(request.body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(signal && { signal }),
      ...(request.body !== undefined && { body: request.body }),
    })
  return {
    async send(request) {
      const limit = AbortSignal.timeout(answerMs)
      try {
        const signal = request.signal ? AbortSignal.any([request.signal, limit]) : limit
        const response = await begin(request, signal)
        return {
          status: response.status,
          headers: Object.fromEntries(response.headers),
          body: await response.text(),
        }
      } catch (error) {
        if (limit.aborted) throw hostError('connect.slow', { url: urlOf(request), seconds: answerMs / 1000 }, error)
        throw hostError('connect.refused', { url: urlOf(request) }, error)
      }
    },
    async stream(request) {
      const { status, body } = await begin(request, request.signal).catch((error: unknown) => {
        throw hostError('connect.refused', { url: urlOf(request) }, error)
      })
      return { status, body: (body ?? []) as AsyncIterable<Uint8Array> }
    },
  }
}

/** To S3 on this machine, whatever its name means elsewhere. */
const sendBy = (secure: Secure | undefined) => {
  const settings = secure && secureSettings(secure)
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
        reject(error.code === 'ECONNREFUSED' ? hostError('connect.refused', { url: url.origin }, error) : error)
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

function secureSettings({ trust }: Secure) {
  const lookup: LookupFunction = (_, { all }, found) =>
    all ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4)
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
