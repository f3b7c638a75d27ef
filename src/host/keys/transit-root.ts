import { createHash, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { faultOf, fields, integer, type Schema, type Static, text } from '#api'
import { type RootKey, storageError, type WrappedByRoot } from '#storage'
import { hostError } from '../errors.ts'

const answerMs = 5000
const answerBytes = 64 * 1024
/** Whether the key was rotated is asked again after this. */
const newestMs = 30_000

export type TransitConfig = { url: string; tokenFile: string; mount: string; key: string; caFile?: string }

const ciphertext = text({ pattern: '^vault:v[0-9]{1,9}:[A-Za-z0-9+/=]{1,8000}$', max: 9000 })

/**
 * A root key that never leaves OpenBao or HashiCorp Vault: its transit engine encrypts, decrypts and rewraps. The token is
 * read anew for each request, so an agent may renew it. What a key is for is bound inside the plaintext, because transit's
 * rewrap takes no associated data.
 * Source: the documentation of the transit secrets engine's HTTP API.
 * @throws transit.insecure for HTTP to anywhere but this machine
 */
export function openTransitRoot(config: TransitConfig, now: () => number): RootKey {
  const base = new URL(config.url)
  const local = ['127.0.0.1', 'localhost', '[::1]'].includes(base.hostname)
  if (base.protocol !== 'https:' && !(base.protocol === 'http:' && local))
    throw hostError('transit.insecure', { url: config.url })
  let newest: { root: string; until: number } | undefined
  const path = (verb: string) => `/v1/${encodeURI(config.mount)}/${verb}/${encodeURIComponent(config.key)}`

  const encrypted = (answer: { ciphertext: string }): WrappedByRoot => {
    const root = versionOf(answer.ciphertext)
    newest = { root, until: now() + newestMs }
    return { root, wrapped: Buffer.from(answer.ciphertext) }
  }
  return {
    async newest() {
      if (newest && now() < newest.until) return newest.root
      const data = await ask(config, 'GET', path('keys'), undefined, fields({ latest_version: integer({ min: 1 }) }))
      newest = { root: `v${data.latest_version}`, until: now() + newestMs }
      return newest.root
    },
    async wrap(plain, context) {
      const bound = Buffer.concat([digest(context), plain]).toString('base64')
      return encrypted(await ask(config, 'POST', path('encrypt'), { plaintext: bound }, fields({ ciphertext })))
    },
    async unwrap({ wrapped }, context) {
      const input = { ciphertext: Buffer.from(wrapped).toString() }
      const schema = fields({ plaintext: text({ max: 4000 }) })
      const bound = Buffer.from((await ask(config, 'POST', path('decrypt'), input, schema)).plaintext, 'base64')
      const right = digest(context)
      if (bound.length <= right.length || !timingSafeEqual(bound.subarray(0, right.length), right))
        throw storageError('key.root')
      return bound.subarray(right.length)
    },
    async rewrap({ wrapped }) {
      const input = { ciphertext: Buffer.from(wrapped).toString() }
      return encrypted(await ask(config, 'POST', path('rewrap'), input, fields({ ciphertext })))
    },
  }
}

const digest = (context: string) => createHash('sha256').update(`pelago transit 1\n${context}`).digest()

/** `vault:v3:…` was encrypted by version 3 of the key; OpenBao writes the same. */
const versionOf = (text: string) => text.split(':')[1] as string

/** @throws key.unavailable when it is sealed, silent or refuses; key.root when it cannot decrypt */
async function ask<S extends Schema<unknown> & { kind: 'fields' }>(
  config: TransitConfig,
  method: 'GET' | 'POST',
  path: string,
  body: Record<string, string> | undefined,
  schema: S,
): Promise<Static<S>> {
  const silent = (reason: string, cause?: unknown) => storageError('key.unavailable', { reason }, cause)
  let answer: { status: number; body: string }
  try {
    answer = await send(config, method, path, body === undefined ? '' : JSON.stringify(body))
  } catch (error) {
    throw silent(`${config.url} does not answer`, error)
  }
  const parsed = parse(answer.body)
  const said = list(parsed.errors).join('; ').slice(0, 300)
  if (answer.status === 503) throw silent(`${config.url} is sealed or standing by`)
  if (answer.status === 403) throw silent(`${config.url} refuses the token: it may not ${method} ${path}`)
  if (answer.status === 429) throw storageError('key.busy')
  // 400 is also what it says of a version that is too old by its own rules, and of a key that is not there.
  if (answer.status === 400 && !path.includes('/encrypt/'))
    throw storageError('key.root', {}, new Error(`transit: ${said}`))
  if (answer.status !== 200) throw silent(`${config.url} answers ${answer.status} ${said}`)
  const data = typeof parsed.data === 'object' && parsed.data !== null ? (parsed.data as Record<string, unknown>) : {}
  const known = Object.fromEntries(Object.keys(schema.of).map((name) => [name, data[name]]))
  const fault = faultOf(schema, known)
  if (fault) throw silent(`${config.url} answers what was not expected: ${fault.path} ${fault.fault}`)
  return known as Static<S>
}

function send(
  config: TransitConfig,
  method: string,
  path: string,
  body: string,
): Promise<{ status: number; body: string }> {
  const token = readFileSync(config.tokenFile, 'utf8').trim()
  const url = new URL(path, config.url)
  const options = {
    method,
    timeout: answerMs,
    headers: { 'x-vault-token': token, 'x-vault-request': 'true', 'content-type': 'application/json' },
    signal: AbortSignal.timeout(2 * answerMs),
  }
  return new Promise((resolve, reject) => {
    const request =
      url.protocol === 'https:'
        ? tlsRequest(url, {
            ...options,
            minVersion: 'TLSv1.3',
            ...(config.caFile && { ca: readFileSync(config.caFile) }),
          })
        : plainRequest(url, options)
    request.on('timeout', () => request.destroy(new Error('no answer in time')))
    request.on('error', reject)
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > answerBytes) request.destroy(new Error('the answer is too long'))
        else chunks.push(chunk)
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }))
    })
    request.end(body)
  })
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch (error) {
    if (error instanceof SyntaxError) return {}
    throw error
  }
}

const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])
