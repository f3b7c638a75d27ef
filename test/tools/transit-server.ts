/** The transit engine of OpenBao and Vault, as far as its documentation goes for one kind of key: aes256-gcm96. For tests. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

type Key = { versions: Buffer[]; minDecryption: number; minEncryption: number }

export type TransitServer = {
  url: string
  /** A token and the paths that it may use, each as `METHOD path`. */
  allow(token: string, ...paths: string[]): void
  seal(sealed: boolean): void
  rotate(key: string): void
  setMinDecryptionVersion(key: string, version: number): void
  /** What was asked, in order. */
  asked: string[]
  close(): Promise<void>
}

export async function openTransitServer(mount: string, names: readonly string[]): Promise<TransitServer> {
  const keys = new Map<string, Key>(
    names.map((name) => [name, { versions: [randomBytes(32)], minDecryption: 1, minEncryption: 0 }]),
  )
  const tokens = new Map<string, Set<string>>()
  const asked: string[] = []
  let sealed = false

  const answer = async (request: IncomingMessage): Promise<[number, unknown]> => {
    const path = (request.url ?? '').replace(/^\/v1\//, '')
    asked.push(`${request.method} ${path}`)
    if (sealed) return [503, { errors: ['Vault is sealed'] }]
    const token = String(request.headers['x-vault-token'] ?? '')
    if (!tokens.get(token)?.has(`${request.method} ${path}`))
      return [403, { errors: ['1 error occurred:\n\t* permission denied\n\n'] }]
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const input = (text === '' ? {} : JSON.parse(text)) as Record<string, string>
    const [, verb = '', name = ''] = new RegExp(`^${mount}/([a-z]+)/(.+)$`).exec(path) ?? []
    const key = keys.get(name)
    if (verb === 'keys' && request.method === 'GET') {
      if (!key) return [404, { errors: [] }]
      const times = Object.fromEntries(key.versions.map((_, at) => [String(at + 1), 1_700_000_000 + at]))
      return [
        200,
        data({
          type: 'aes256-gcm96',
          name,
          keys: times,
          latest_version: key.versions.length,
          min_available_version: 0,
          min_decryption_version: key.minDecryption,
          min_encryption_version: key.minEncryption,
          derived: false,
          exportable: false,
          deletion_allowed: false,
          supports_encryption: true,
          supports_decryption: true,
        }),
      ]
    }
    if (request.method !== 'POST' && request.method !== 'PUT') return [405, { errors: ['unsupported operation'] }]
    if (!key) return [400, { errors: ['encryption key not found'] }]
    try {
      switch (verb) {
        case 'encrypt':
          if (input.plaintext === undefined) return [400, { errors: ['missing plaintext to encrypt'] }]
          return [200, data(encrypt(key, Buffer.from(input.plaintext, 'base64')))]
        case 'decrypt':
          return [200, data({ plaintext: decrypt(key, input.ciphertext ?? '').toString('base64') })]
        case 'rewrap':
          return [200, data(encrypt(key, decrypt(key, input.ciphertext ?? '')))]
        default:
          return [404, { errors: [] }]
      }
    } catch (error) {
      return [400, { errors: [error instanceof Error ? error.message : String(error)] }]
    }
  }

  const server: Server = createServer((request, response) => {
    void answer(request).then(([status, body]) => {
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
      response.end(`${JSON.stringify(body)}\n`)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    allow: (token, ...paths) => void tokens.set(token, new Set(paths)),
    seal: (now) => {
      sealed = now
    },
    rotate: (name) => void keys.get(name)?.versions.push(randomBytes(32)),
    setMinDecryptionVersion(name, version) {
      const key = keys.get(name)
      if (key) key.minDecryption = version
    },
    asked,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

function data(fields: Record<string, unknown>) {
  return { request_id: 'test', lease_id: '', renewable: false, lease_duration: 0, data: fields, warnings: null }
}

function encrypt(key: Key, plain: Buffer) {
  const version = key.versions.length
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key.versions[version - 1] as Buffer, nonce)
  const bytes = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
  return { ciphertext: `vault:v${version}:${bytes.toString('base64')}`, key_version: version }
}

function decrypt(key: Key, ciphertext: string): Buffer {
  const [, version, encoded] = /^vault:v(\d+):([A-Za-z0-9+/=]+)$/.exec(ciphertext) ?? []
  if (!version || !encoded) throw new Error('invalid ciphertext: no prefix')
  if (Number(version) > key.versions.length) throw new Error('invalid ciphertext: version is too new')
  if (Number(version) < key.minDecryption)
    throw new Error('ciphertext or signature version is disallowed by policy (too old)')
  const bytes = Buffer.from(encoded, 'base64')
  const decipher = createDecipheriv('aes-256-gcm', key.versions[Number(version) - 1] as Buffer, bytes.subarray(0, 12))
  decipher.setAuthTag(bytes.subarray(bytes.length - 16))
  const plain = decipher.update(bytes.subarray(12, bytes.length - 16))
  try {
    return Buffer.concat([plain, decipher.final()])
  } catch (error) {
    throw new Error('cipher: message authentication failed', { cause: error })
  }
}
