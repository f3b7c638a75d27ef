import {
  createHash,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  verify,
  webcrypto,
} from 'node:crypto'
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:tls'
import { loadX509 } from '#trust'

/** How an authority behaves that is not at its best. Counts are used up one by one. */
export type Faults = {
  /** So many signed requests hear that their nonce is not known. */
  badNonces: number
  /** So many orders are refused as too many; `Retry-After` in seconds. */
  limited: number
  limitedSeconds: number
  /** So many requests are answered 503 with a page that is no problem document. */
  down: number
  /** So often an order that is being issued says so before it is. */
  slow: number
  /** Every challenge is judged invalid, whatever was found. */
  unproved: boolean
  /** What is issued is for somebody else's key. */
  foreign: boolean
}

export type AcmeOptions = {
  /** Where the names are looked for: all of them lead to 127.0.0.1. */
  httpPort: number
  /** Asked for anew for each look. */
  tlsPort: () => number
  /** Life of a certificate, milliseconds. */
  lifeMs?: number
  /** Only accounts with this binding. */
  binding?: { keyId: string; hmacKey: Uint8Array }
  /** When certificates are to be renewed (RFC 9773); without, it does not say. Milliseconds since 1970. */
  renewal?: () => { start: number; end: number }
  challenges?: readonly string[]
}

export type AcmeTestServer = {
  directory: string
  /** What clients are to trust, PEM. */
  root: string
  faults: Faults
  /** What was asked and judged so far, in words. */
  seen: string[]
  /** Orders that were placed; `replaces` as the client said it. */
  orders: { names: string[]; replaces: string | undefined; account: string }[]
  close(): Promise<void>
}

type X509 = Awaited<ReturnType<typeof loadX509>>
type Json = Record<string, unknown>
type Challenge = { url: string; type: string; token: string; status: string; error?: Json }
type Authorization = { url: string; host: string; status: string; challenges: Challenge[] }
type Order = {
  url: string
  names: string[]
  status: string
  authorizations: Authorization[]
  account: string
  chain?: string
  waits: number
  error?: Json
}
type Account = { url: string; key: KeyObject; thumbprint: string }
type Asked = { account: Account | undefined; key: KeyObject; jwk: Json | undefined; payload: Json | undefined }

class Refusal extends Error {
  status: number
  type: string
  headers: Record<string, string>
  constructor(status: number, type: string, detail: string, headers: Record<string, string> = {}) {
    super(detail)
    this.status = status
    this.type = type
    this.headers = headers
  }
}

const p256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const decode = (text: unknown): Buffer => Buffer.from(String(text), 'base64url')
const hash = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest()

/**
 * A small certification authority that speaks ACME (RFC 8555), written from the RFC and not from the client's code: it checks
 * nonces, URLs and signatures by itself, fetches what proves a name, and looks into the request that it is to sign.
 */
export async function startAcmeServer(options: AcmeOptions): Promise<AcmeTestServer> {
  const x509 = await loadX509()
  const authority = await openTestAuthority(x509, options.lifeMs ?? 90 * 24 * 60 * 60 * 1000)
  const faults: Faults = {
    ...{ badNonces: 0, limited: 0, limitedSeconds: 30, down: 0, slow: 0 },
    ...{ unproved: false, foreign: false },
  }
  const nonces = new Set<string>()
  const accounts = new Map<string, Account>()
  const orders = new Map<string, Order>()
  const seen: string[] = []
  const placed: AcmeTestServer['orders'] = []
  let base = ''
  const freshId = () => randomBytes(8).toString('hex')
  const freshNonce = () => {
    const nonce = randomBytes(16).toString('base64url')
    nonces.add(nonce)
    return nonce
  }

  /** Section 6.2 to 6.5: signature, URL, nonce. */
  const check = (request: IncomingMessage, text: string): Asked => {
    if (request.headers['content-type'] !== 'application/jose+json')
      throw new Refusal(415, 'malformed', 'the content type is not application/jose+json')
    const jws = JSON.parse(text) as Json
    const head = JSON.parse(decode(jws.protected).toString()) as Json
    if (head.url !== base + request.url) throw new Refusal(401, 'unauthorized', 'it is signed for another URL')
    if (head.alg !== 'ES256') throw new Refusal(400, 'badSignatureAlgorithm', 'ES256 is wanted')
    if ((head.jwk === undefined) === (head.kid === undefined))
      throw new Refusal(400, 'malformed', 'exactly one of jwk and kid is wanted')
    const account = typeof head.kid === 'string' ? accounts.get(head.kid) : undefined
    if (head.kid !== undefined && !account) throw new Refusal(400, 'accountDoesNotExist', 'nobody knows this account')
    const jwk = head.jwk as Json | undefined
    const key = account?.key ?? createPublicKey({ key: jwk as never, format: 'jwk' })
    const signed = Buffer.from(`${String(jws.protected)}.${String(jws.payload)}`)
    if (!verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, decode(jws.signature)))
      throw new Refusal(400, 'malformed', 'the signature is wrong')
    if (!nonces.delete(String(head.nonce))) throw new Refusal(400, 'badNonce', 'the nonce is not known')
    if (faults.badNonces > 0) {
      faults.badNonces--
      throw new Refusal(400, 'badNonce', 'the nonce is said not to be known')
    }
    const payload = jws.payload === '' ? undefined : (JSON.parse(decode(jws.payload).toString()) as Json)
    return { account, key, jwk, payload }
  }

  const newAccount = ({ jwk, key, payload }: Asked) => {
    if (!jwk) throw new Refusal(400, 'malformed', 'a new account is asked for with its key')
    // Members in the order of RFC 7638.
    const { crv, kty, x, y } = jwk
    const thumbprint = hash(JSON.stringify({ crv, kty, x, y })).toString('base64url')
    const known = [...accounts.values()].find((account) => account.thumbprint === thumbprint)
    if (known) return { status: 200, location: known.url, body: { status: 'valid' } }
    if (payload?.termsOfServiceAgreed !== true)
      throw new Refusal(403, 'userActionRequired', 'the terms must be agreed to')
    if (options.binding) checkBinding(options.binding, payload.externalAccountBinding as Json, jwk)
    const account = { url: `${base}/account/${freshId()}`, key, thumbprint }
    accounts.set(account.url, account)
    seen.push(`account ${JSON.stringify(payload.contact ?? [])}`)
    return { status: 201, location: account.url, body: { status: 'valid' } }
  }
  const checkBinding = (binding: NonNullable<AcmeOptions['binding']>, jws: Json | undefined, jwk: Json) => {
    if (!jws) throw new Refusal(403, 'externalAccountRequired', 'this authority knows its customers')
    const head = JSON.parse(decode(jws.protected).toString()) as Json
    const mac = createHmac('sha256', binding.hmacKey)
      .update(`${String(jws.protected)}.${String(jws.payload)}`)
      .digest()
    const same = JSON.stringify(JSON.parse(decode(jws.payload).toString())) === JSON.stringify(jwk)
    const right = head.alg === 'HS256' && head.kid === binding.keyId && head.url === `${base}/new-account`
    if (!right || !same || head.nonce !== undefined || !mac.equals(decode(jws.signature)))
      throw new Refusal(403, 'unauthorized', 'the external account binding is wrong')
    seen.push('binding')
  }

  const newOrder = ({ account, payload }: Asked) => {
    if (!account) throw new Refusal(403, 'unauthorized', 'an order needs an account')
    if (faults.limited > 0) {
      faults.limited--
      throw new Refusal(429, 'rateLimited', 'too many orders', { 'retry-after': String(faults.limitedSeconds) })
    }
    const identifiers = payload?.identifiers as { type: string; value: string }[]
    if (!identifiers.every(({ type }) => type === 'dns')) throw new Refusal(400, 'unsupportedIdentifier', 'dns only')
    const names = identifiers.map(({ value }) => value)
    const order: Order = {
      ...{ url: `${base}/order/${freshId()}`, names, status: 'pending', account: account.url, waits: faults.slow },
      authorizations: names.map((host) => ({
        ...{ url: `${base}/authorization/${freshId()}`, host, status: 'pending' },
        challenges: (options.challenges ?? ['http-01', 'dns-01', 'tls-alpn-01']).map((type) => ({
          ...{ url: `${base}/challenge/${freshId()}`, type, status: 'pending' },
          token: randomBytes(24).toString('base64url'),
        })),
      })),
    }
    orders.set(order.url, order)
    const replaces = payload?.replaces
    placed.push({ names, replaces: typeof replaces === 'string' ? replaces : undefined, account: account.url })
    seen.push(`order ${names.join(' ')}`)
    return { status: 201, location: order.url, body: shown(order) }
  }
  const shown = (order: Order) => ({
    status: order.status,
    identifiers: order.names.map((value) => ({ type: 'dns', value })),
    authorizations: order.authorizations.map(({ url }) => url),
    finalize: `${order.url}/finalize`,
    ...(order.error && { error: order.error }),
    ...(order.status === 'valid' && { certificate: `${order.url}/certificate` }),
  })

  const judge = async (order: Order, authorization: Authorization, challenge: Challenge, account: Account) => {
    const expected = `${challenge.token}.${account.thumbprint}`
    let fault: string | undefined
    try {
      if (challenge.type === 'http-01')
        await fetchAnswer(options.httpPort, authorization.host, challenge.token, expected)
      else if (challenge.type === 'tls-alpn-01') await askByTls(x509, options.tlsPort(), authorization.host, expected)
      else fault = 'dns-01 is not looked at here'
    } catch (error) {
      fault = error instanceof Error ? error.message : String(error)
    }
    if (faults.unproved) fault = 'nothing was found'
    seen.push(`${challenge.type} ${authorization.host}: ${fault ?? 'found'}`)
    challenge.status = fault === undefined ? 'valid' : 'invalid'
    authorization.status = challenge.status
    if (fault !== undefined) {
      challenge.error = { type: 'urn:ietf:params:acme:error:unauthorized', detail: fault, status: 403 }
      order.status = 'invalid'
      order.error = challenge.error
    } else if (order.authorizations.every(({ status }) => status === 'valid')) order.status = 'ready'
  }

  const finalize = async (order: Order, payload: Json | undefined) => {
    if (order.status !== 'ready') throw new Refusal(403, 'orderNotReady', `the order is ${order.status}`)
    const csr = new x509.Pkcs10CertificateRequest(decode(payload?.csr))
    if (!(await csr.verify())) throw new Refusal(400, 'badCSR', 'its signature is wrong')
    const found = csr.extensions.find(({ type }) => type === '2.5.29.17')
    const items = found ? new x509.SubjectAlternativeNameExtension(found.rawData).names.items : []
    const wanted = items.map(({ value }) => value)
    if (JSON.stringify([...wanted].sort()) !== JSON.stringify([...order.names].sort()))
      throw new Refusal(400, 'badCSR', `it is for ${wanted.join(', ')}`)
    const others = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
    const spki = faults.foreign ? others.export({ format: 'der', type: 'spki' }) : Buffer.from(csr.publicKey.rawData)
    for (const { key } of accounts.values())
      if (key.export({ format: 'der', type: 'spki' }).equals(spki)) throw new Refusal(400, 'badCSR', 'account key')
    order.chain = await authority.issue(spki, order.names)
    order.status = order.waits > 0 ? 'processing' : 'valid'
    return { status: 200, location: order.url, body: shown(order) }
  }

  type Told = { status: number; location?: string; body: unknown; headers?: Record<string, string> }
  const find = (url: string, asked: Asked): Told | Promise<Told> => {
    for (const order of orders.values()) {
      if (asked.account?.url !== order.account) continue
      if (url === order.url) {
        if (order.status === 'processing' && --order.waits < 0) order.status = 'valid'
        return { status: 200, body: shown(order), headers: order.status === 'processing' ? { 'retry-after': '1' } : {} }
      }
      if (url === `${order.url}/finalize`) return finalize(order, asked.payload)
      if (url === `${order.url}/certificate` && order.chain !== undefined) {
        seen.push('issued')
        return { status: 200, body: order.chain }
      }
      for (const authorization of order.authorizations) {
        const { challenges, host, status } = authorization
        if (url === authorization.url)
          return { status: 200, body: { status, identifier: { type: 'dns', value: host }, challenges } }
        for (const challenge of challenges) {
          if (url !== challenge.url) continue
          if (challenge.status === 'pending' && asked.payload) {
            challenge.status = 'processing'
            void judge(order, authorization, challenge, asked.account)
          }
          return { status: 200, body: challenge }
        }
      }
    }
    throw new Refusal(404, 'malformed', 'there is nothing here')
  }

  const answer = async (request: IncomingMessage, text: string): Promise<Told> => {
    const url = base + request.url
    if (!request.headers['user-agent']) throw new Refusal(400, 'malformed', 'section 6.1 wants a User-Agent')
    if (faults.down > 0) {
      faults.down--
      return { status: 503, body: '<html>down</html>' }
    }
    if (request.method === 'GET' && request.url === '/directory') {
      const names = { newNonce: 'new-nonce', newAccount: 'new-account', newOrder: 'new-order' }
      const urls = Object.fromEntries(Object.entries(names).map(([name, path]) => [name, `${base}/${path}`]))
      const meta = { termsOfService: `${base}/terms`, ...(options.binding && { externalAccountRequired: true }) }
      return { status: 200, body: { ...urls, ...(options.renewal && { renewalInfo: `${base}/renewal` }), meta } }
    }
    if (request.method === 'GET' && request.url === '/new-nonce')
      return { status: 204, body: '', headers: { 'replay-nonce': freshNonce() } }
    if (request.method === 'GET' && options.renewal && request.url?.startsWith('/renewal/')) {
      const { start, end } = options.renewal()
      const name = request.url.slice('/renewal/'.length)
      if (!authority.issued.has(name)) throw new Refusal(404, 'malformed', 'this certificate is not known')
      seen.push('renewal asked')
      const at = (ms: number) => new Date(ms).toISOString()
      return {
        status: 200,
        body: { suggestedWindow: { start: at(start), end: at(end) } },
        headers: { 'retry-after': '1' },
      }
    }
    if (request.method !== 'POST') throw new Refusal(405, 'malformed', 'POST is wanted')
    const asked = check(request, text)
    if (request.url === '/new-account') return newAccount(asked)
    if (!asked.account) throw new Refusal(400, 'malformed', 'kid is wanted')
    return request.url === '/new-order' ? newOrder(asked) : find(url, asked)
  }
  const respond = (response: ServerResponse, { status, location, body, headers = {} }: Told, type: string) => {
    response.writeHead(status, {
      'content-type': type,
      // Section 6.5: every successful answer and every badNonce brings a nonce.
      ...(status !== 503 && { 'replay-nonce': freshNonce() }),
      ...headers,
      ...(location !== undefined && { location }),
    })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      answer(request, Buffer.concat(chunks).toString()).then(
        (told) => respond(response, told, 'application/json'),
        (error: unknown) => {
          const refusal = error instanceof Refusal ? error : new Refusal(500, 'serverInternal', String(error))
          const { status, type, message: detail, headers } = refusal
          seen.push(`refused ${type}: ${detail}`)
          const body = { type: `urn:ietf:params:acme:error:${type}`, detail, status }
          respond(response, { status, body, headers }, 'application/problem+json')
        },
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    ...{ directory: `${base}/directory`, root: authority.root, faults, seen, orders: placed },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Section 8.3: from the host, by plain HTTP, exactly the key authorization. */
function fetchAnswer(port: number, host: string, token: string, expected: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const path = `/.well-known/acme-challenge/${token}`
    const request = get(
      { host: '127.0.0.1', port, path, headers: { host }, agent: false, timeout: 5000 },
      (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString()
        })
        response.on('end', () => {
          if (response.statusCode === 200 && text.trimEnd() === expected) resolve()
          else reject(new Error(`http-01 found ${response.statusCode} ${text.slice(0, 80)}`))
        })
      },
    )
    request.on('timeout', () => request.destroy(new Error('http-01 found silence')))
    request.on('error', reject)
  })
}

/** RFC 8737 section 3: the protocol is taken, and the certificate is self-signed, for this name, with the hash of the answer. */
function askByTls(x509: X509, port: number, servername: string, expected: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, servername, ALPNProtocols: ['acme-tls/1'], rejectUnauthorized: false }
    const socket = connect({ ...options, timeout: 5000 }, () => {
      const found = socket.getPeerX509Certificate()
      socket.destroy()
      try {
        if (socket.alpnProtocol !== 'acme-tls/1') throw new Error('acme-tls/1 was not taken')
        if (!found?.verify(found.publicKey)) throw new Error('the certificate is not self-signed')
        if (found.subjectAltName !== `DNS:${servername}`) throw new Error(`it is for ${found.subjectAltName}`)
        const extension = new x509.X509Certificate(found.raw).getExtension('1.3.6.1.5.5.7.1.31')
        const value = Buffer.concat([Buffer.from([4, 32]), hash(expected)])
        if (!extension?.critical || !value.equals(Buffer.from(extension.value)))
          throw new Error('the extension is missing, not critical, or of another answer')
        resolve()
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    })
    socket.on('timeout', () => socket.destroy(new Error('tls-alpn-01 found silence')))
    socket.on('error', reject)
  })
}

/** Root, intermediate, leaves; made with the library alone. */
async function openTestAuthority(x509: X509, lifeMs: number) {
  const newKeys = () => webcrypto.subtle.generateKey(p256, true, ['sign', 'verify'])
  const [rootKeys, middleKeys] = [await newKeys(), await newKeys()]
  const year = 365 * 24 * 60 * 60 * 1000
  const dates = (ms: number) => ({ notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + ms) })
  const isAuthority = new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true)
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...{ name: 'CN=ACME test root', keys: rootKeys, signingAlgorithm: p256, ...dates(10 * year) },
    extensions: [new x509.BasicConstraintsExtension(true, 1, true), isAuthority],
  })
  const middle = await x509.X509CertificateGenerator.create({
    ...{ subject: 'CN=ACME test issuer', issuer: root.subject, ...dates(5 * year), signingAlgorithm: p256 },
    ...{ publicKey: middleKeys.publicKey, signingKey: rootKeys.privateKey },
    extensions: [
      ...[new x509.BasicConstraintsExtension(true, 0, true), isAuthority],
      await x509.AuthorityKeyIdentifierExtension.create(rootKeys.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(middleKeys.publicKey),
    ],
  })
  const middleId = await x509.SubjectKeyIdentifierExtension.create(middleKeys.publicKey)
  const issued = new Set<string>()
  return {
    root: root.toString('pem'),
    /** Names of what was issued, as RFC 9773 section 4.1 has it. */
    issued,
    async issue(spki: Uint8Array, names: string[]): Promise<string> {
      const serialNumber = `40${randomBytes(15).toString('hex')}`
      const leaf = await x509.X509CertificateGenerator.create({
        ...{ serialNumber, subject: '', issuer: middle.subject, ...dates(lifeMs), signingAlgorithm: p256 },
        ...{ publicKey: new x509.PublicKey(spki), signingKey: middleKeys.privateKey },
        extensions: [
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
          new x509.SubjectAlternativeNameExtension(
            names.map((value) => ({ type: 'dns' as const, value })),
            true,
          ),
          await x509.AuthorityKeyIdentifierExtension.create(middleKeys.publicKey),
        ],
      })
      const part = (hex: string) => Buffer.from(hex, 'hex').toString('base64url')
      issued.add(`${part(middleId.keyId)}.${part(serialNumber)}`)
      return `${leaf.toString('pem')}\n${middle.toString('pem')}\n`
    },
  }
}
