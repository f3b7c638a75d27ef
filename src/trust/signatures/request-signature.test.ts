import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkContentDigest, contentDigest } from './content-digest.ts'
import { openNonces } from './nonces.ts'
import {
  checkSignature,
  readSignature,
  type SignableRequest,
  signatureBase,
  signatureMs,
  signRequest,
  skewMs,
} from './request-signature.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const now = 1_800_000_000_000
const authority = 'federation.example:4200'
const body = Buffer.from('{"a":1}')
const target = '/v1/certificates?x=1&y=%20'
const by = { key: privateKey, keyId: 'north', nonce: 'nonce-of-sixteen-or-more', now }

function signed(): SignableRequest & { headers: Record<string, string> } {
  const headers = signRequest({ method: 'POST', authority, target, body }, by)
  return { method: 'POST', target, headers: { host: authority, ...headers } }
}

/** What a server does with a request. */
function believe(request: SignableRequest, { at = now, bytes = body, key = publicKey } = {}) {
  const read = readSignature(request, { authorities: [authority], now: at })
  checkSignature(read, key)
  checkContentDigest(request.headers['content-digest'], bytes)
  return read
}
const refused = (code: string, act: () => unknown) => assert.throws(act, { code })

test('RFC 9421 B.2.4: the signature by ecdsa-p256-sha256 is right, and of no other text', () => {
  const rfcKey = createPublicKey(`-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf
w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==
-----END PUBLIC KEY-----`)
  const digest = 'sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:'
  const components: [string, string][] = [
    ['@status', '200'],
    ['content-type', 'application/json'],
    ['content-digest', digest],
    ['content-length', '23'],
  ]
  const parameters =
    '("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"'
  const signature = Buffer.from(
    'wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==',
    'base64',
  )
  const of = (text: string) => ({ keyId: '', created: 0, expires: 0, nonce: '', base: text, signature })
  checkSignature(of(signatureBase(components, parameters)), rfcKey)
  refused('signature.wrong', () => checkSignature(of(signatureBase(components.slice(1), parameters)), rfcKey))
})

test('RFC 9530: digests of its examples', () => {
  checkContentDigest('sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:', Buffer.from('{"hello": "world"}'))
  checkContentDigest('sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:', Buffer.from('{"hello": "world"}\n'))
  assert.equal(
    contentDigest(Buffer.from('{"hello": "world"}\n')),
    'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:',
  )
})

test('the signature base is as RFC 9421 derives its components', () => {
  const { base } = believe(signed())
  assert.deepEqual(base.split('\n').slice(0, -1), [
    '"@method": POST',
    '"@authority": federation.example:4200',
    '"@path": /v1/certificates',
    '"@query": ?x=1&y=%20',
    `"content-digest": ${contentDigest(body)}`,
  ])
  assert.match(base, /\n"@signature-params": \("@method" .*\);created=1800000000;expires=1800000300;nonce="/)
  const bare = { method: 'GET', authority, target: '/', body: Buffer.alloc(0) }
  const request = { method: 'GET', target: '/', headers: { host: authority, ...signRequest(bare, by) } }
  assert.match(believe(request, { bytes: bare.body }).base, /\n"@path": \/\n"@query": \?\n/)
})

test('each part that is tampered with is refused, by its own code where it can be told', () => {
  const good = signed()
  const input = good.headers['signature-input'] as string
  const header = (name: string, value: string | undefined) => ({ ...good, headers: { ...good.headers, [name]: value } })
  const bend = (from: string | RegExp, to: string) => header('signature-input', input.replace(from, to))
  const { privateKey: other } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const foreign = signRequest({ method: 'POST', authority, target, body }, { ...by, key: other })
  const cases: [string, SignableRequest][] = [
    ['signature.wrong', { ...good, method: 'PUT' }],
    ['signature.wrong', { ...good, target: target.replace('certificates', 'gateways') }],
    ['signature.wrong', { ...good, target: target.replace('x=1', 'x=2') }],
    ['signature.wrong', { ...good, target: '/v1/certificates' }],
    ['signature.authority', header('host', 'elsewhere.example')],
    ['signature.wrong', header('content-digest', contentDigest(Buffer.from('{"a":2}')))],
    ['signature.wrong', bend('created=1800000000', 'created=1800000001')],
    ['signature.wrong', bend('nonce-of', 'n0nce-of')],
    ['signature.wrong', bend('keyid="north"', 'keyid="south"')],
    ['signature.lasting', bend('expires=1800000300', 'expires=1800000301')],
    ['signature.algorithm', bend('ecdsa-p256-sha256', 'hmac-sha256')],
    ['signature.uncovered', bend('"@query" ', '')],
    ['signature.uncovered', bend(/;nonce="[^"]*"/, '')],
    ['signature.uncovered', bend(/;expires=\d+/, '')],
    ['signature.malformed', bend('"@method"', '"@method" "@method"')],
    ['signature.malformed', bend('"@query"', '"@query";req')],
    ['signature.malformed', bend('"content-digest"', '"content-digest" "date"')],
    ['signature.malformed', bend(/nonce="[^"]*"/, 'nonce="short"')],
    ['signature.malformed', bend('created=1800000000', 'created="1800000000"')],
    ['signature.malformed', bend(/$/, ', other=()')],
    ['signature.malformed', header('signature-input', undefined)],
    ['signature.malformed', header('signature', undefined)],
    ['signature.malformed', header('signature', 'other=:AAAA:')],
    ['signature.malformed', header('signature', 'pelago=:AAAA:')],
    ['signature.wrong', header('signature', foreign.signature)],
    ['signature.wrong', header('signature', `pelago=:${Buffer.alloc(64).toString('base64')}:`)],
  ]
  believe(good)
  for (const [code, request] of cases) refused(code, () => believe(request))
  refused('digest.wrong', () => believe(good, { bytes: Buffer.from('{"a":2}') }))
  refused('signature.wrong', () => believe(good, { key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey }))
  for (const digest of [undefined, '', 'md5=:AAAA:', 'sha-256=:AAAA:', 'sha-256=AAAA'])
    refused('digest.malformed', () => checkContentDigest(digest, body))
})

test('times: neither from the future nor from the past, within what clocks may differ', () => {
  const good = signed()
  believe(good, { at: now - skewMs })
  believe(good, { at: now + signatureMs + skewMs })
  refused('signature.early', () => believe(good, { at: now - skewMs - 1000 }))
  refused('signature.expired', () => believe(good, { at: now + signatureMs + skewMs + 1000 }))
})

test('a nonce is taken once per key, forgotten when it is too old, and none is forgotten early', () => {
  const nonces = openNonces(2)
  nonces.admit('north', 'a', 100, 0)
  refused('signature.replayed', () => nonces.admit('north', 'a', 100, 0))
  nonces.admit('south', 'a', 50, 0)
  refused('signature.crowded', () => nonces.admit('north', 'b', 100, 50))
  nonces.admit('north', 'b', 100, 51)
  refused('signature.replayed', () => nonces.admit('north', 'a', 100, 99))
})

test('whatever is written in the headers is refused in words', () => {
  const printable = fc.string({ unit: 'grapheme-ascii', maxLength: 120 })
  const piece = fc.constantFrom('pelago=', '("@method")', ';created=1', ';nonce="', '"', '(', ')', ':', '=', ' ', ',')
  const text = fc.oneof(
    printable,
    fc.array(piece, { maxLength: 12 }).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(text, text, fc.option(text, { nil: undefined }), (input, signature, digest) => {
      const headers = { host: authority, 'signature-input': input, signature, 'content-digest': digest }
      assert.throws(
        () => believe({ method: 'POST', target, headers }),
        (error: Error & { code?: string }) => /^(signature|digest)\./.test(error.code ?? ''),
      )
    }),
    { numRuns: 500 },
  )
})

test('another implementation of the same texts is understood', () => {
  const digest = contentDigest(body)
  const parameters = `("content-digest" "@path" "@query" "@method" "@authority");keyid="k";nonce="0123456789abcdef";created=1800000000;expires=1800000060`
  const base = [
    `"content-digest": ${digest}`,
    '"@path": /v1/x',
    '"@query": ?',
    '"@method": POST',
    `"@authority": ${authority}`,
    `"@signature-params": ${parameters}`,
  ].join('\n')
  const bytes = sign('sha256', Buffer.from(base), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  const headers = {
    host: authority.toUpperCase(),
    'content-digest': digest,
    'signature-input': `sig1=${parameters}`,
    signature: `sig1=:${bytes.toString('base64')}:`,
  }
  assert.equal(believe({ method: 'POST', target: '/v1/x', headers }).keyId, 'k')
})
