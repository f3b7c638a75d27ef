import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { listedKeys, type SignedRequest, trailerSignature, chunkSignature, verifyRequest } from './index.ts'

/** Example of "Signature Calculations for the Authorization Header" in the AWS S3 API Reference; facts, recomputed. */
const keys = listedKeys([
  { id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', tenant: 't', actor: 'a' },
])
const at = Date.UTC(2013, 4, 24)
const scope = '20130524/us-east-1/s3/aws4_request'
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const plain: Record<string, string> = {
  'content-encoding': 'aws-chunked',
  'content-length': '66824',
  host: 's3.amazonaws.com',
  'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'x-amz-date': '20130524T000000Z',
  'x-amz-decoded-content-length': '66560',
  'x-amz-storage-class': 'REDUCED_REDUNDANCY',
}

function signed(headers: Record<string, string>, signature: string): SignedRequest {
  const names = Object.keys(headers).sort().join(';')
  const authorization = `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/${scope}, SignedHeaders=${names}, Signature=${signature}`
  return { method: 'PUT', path: '/examplebucket/chunkObject.txt', query: [], headers: { ...headers, authorization } }
}
const seed = '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9'

test('the seed and every chunk of a signed stream', async () => {
  const verified = await verifyRequest(keys, signed(plain, seed), at)
  let previous = seed
  for (const [chunk, signature] of [
    ['a'.repeat(65_536), 'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648'],
    ['a'.repeat(1024), '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497'],
    ['', 'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9'],
  ] as const) {
    assert.equal(chunkSignature(verified, previous, sha256(chunk)), signature)
    previous = signature
  }
})

test('the seed, chunks and trailer of a signed stream with a trailer', async () => {
  const { 'content-length': _, ...headers } = plain
  const first = '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e'
  const request = signed(
    {
      ...headers,
      'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
      'x-amz-trailer': 'x-amz-checksum-crc32c',
    },
    first,
  )
  const verified = await verifyRequest(keys, request, at)
  const last = '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992'
  assert.equal(
    chunkSignature(verified, '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7', sha256('')),
    last,
  )
  assert.equal(
    trailerSignature(verified, last, 'x-amz-checksum-crc32c:sOO8/Q==\n'),
    'd81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435',
  )
})

test('whatever is changed, the signature does not match; what is missing or late is named', async () => {
  const good = signed(plain, seed)
  const cases: [SignedRequest, number, string][] = [
    [{ ...good, method: 'GET' }, at, 'access.signature'],
    [{ ...good, path: '/examplebucket/other' }, at, 'access.signature'],
    [{ ...good, query: [['acl', '']] }, at, 'access.signature'],
    [{ ...good, headers: { ...good.headers, 'x-amz-decoded-content-length': '1' } }, at, 'access.signature'],
    [{ ...good, headers: { ...good.headers, 'x-amz-acl': 'public-read' } }, at, 'access.malformed'],
    [{ ...good, headers: {} }, at, 'access.anonymous'],
    [{ ...good, headers: { ...good.headers, authorization: 'Basic x' } }, at, 'access.malformed'],
    [signed(plain, seed.replace('4f', '4e')), at, 'access.signature'],
    [signed(plain, 'short'), at, 'access.signature'],
    [good, at + 16 * 60_000, 'access.skewed'],
    [good, at - 16 * 60_000, 'access.skewed'],
  ]
  for (const [request, now, code] of cases) await assert.rejects(verifyRequest(keys, request, now), { code })
  await assert.rejects(verifyRequest(listedKeys([]), good, at), { code: 'access.unknown' })
})

test('a signer that is known already is looked at as closely as one that is not', async () => {
  const secret = {
    id: 'AKIAIOSFODNN7EXAMPLE',
    secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    tenant: 't',
    actor: 'a',
  }
  const good = signed(plain, seed)
  for (let time = 0; time < 3; time++) await verifyRequest(keys, good, at)
  const cases: [SignedRequest, number, string][] = [
    [signed(plain, seed.replace('4f', '4e')), at, 'access.signature'],
    [signed(plain, seed.toUpperCase()), at, 'access.signature'],
    [signed(plain, `${seed.slice(0, -2)},a`), at, 'access.signature'],
    [signed(plain, seed.slice(1)), at, 'access.signature'],
    [{ ...good, method: 'GET' }, at, 'access.signature'],
    [{ ...good, headers: { ...good.headers, 'x-amz-acl': 'public-read' } }, at, 'access.malformed'],
    [good, at + 16 * 60_000, 'access.skewed'],
  ]
  for (const [request, now, code] of cases) await assert.rejects(verifyRequest(keys, request, now), { code })
  await assert.rejects(verifyRequest(listedKeys([]), good, at), { code: 'access.unknown' })
  const changed = listedKeys([{ ...secret, secret: 'another' }])
  await assert.rejects(verifyRequest(changed, good, at), { code: 'access.signature' })
  assert.equal((await verifyRequest(keys, good, at)).key.caller.tenant, 't')
})
