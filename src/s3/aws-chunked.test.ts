import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { listedKeys, verifyRequest } from '#access'
import { decodeChunks, decodeWhole } from './aws-chunked.ts'

/** The example of the AWS S3 API Reference, as in src/access/signature.test.ts. */
async function verified() {
  const headers: Record<string, string> = {
    'content-encoding': 'aws-chunked',
    host: 's3.amazonaws.com',
    'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
    'x-amz-date': '20130524T000000Z',
    'x-amz-decoded-content-length': '66560',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    'x-amz-trailer': 'x-amz-checksum-crc32c',
  }
  const authorization = `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=${Object.keys(headers).sort().join(';')}, Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e`
  const keys = listedKeys([
    { id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', tenant: 't', actor: 'a' },
  ])
  const request = {
    method: 'PUT',
    path: '/examplebucket/chunkObject.txt',
    query: [],
    headers: { ...headers, authorization },
  }
  return verifyRequest(keys, request, Date.UTC(2013, 4, 24))
}

const signedBody = [
  `10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n${'a'.repeat(65_536)}\r\n`,
  `400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n${'a'.repeat(1024)}\r\n`,
  '0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n',
  'x-amz-checksum-crc32c:sOO8/Q==\r\n',
  'x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n',
].join('')
const unsignedBody = '5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n'

async function* split(text: string, ...at: number[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  let start = 0
  for (const end of [...at].sort((a, b) => a - b)) {
    yield bytes.subarray(start, end)
    start = end
  }
  yield bytes.subarray(start)
}

async function decode(body: AsyncIterable<Uint8Array>, framing: Parameters<typeof decodeChunks>[1]) {
  const trailers: Record<string, string> = {}
  const pieces: Uint8Array[] = []
  for await (const piece of decodeChunks(body, framing, (fields) =>
    Object.assign(trailers, Object.fromEntries(fields)),
  ))
    pieces.push(piece)
  return { text: Buffer.concat(pieces).toString(), trailers }
}

test('a signed stream with a trailer, whole and cut at many places', async () => {
  const framing = { signed: await verified(), trailers: true }
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: signedBody.length }), { maxLength: 6 }), async (cuts) => {
      const { text, trailers } = await decode(split(signedBody, ...cuts), framing)
      assert.equal(text, 'a'.repeat(66_560))
      assert.deepEqual(trailers, { 'x-amz-checksum-crc32c': 'sOO8/Q==' })
    }),
    { numRuns: 40 },
  )
})

test('a stream that has come whole', async () => {
  const fields: [string, string][] = []
  const signed = decodeWhole(Buffer.from(signedBody), { signed: await verified(), trailers: true }, (found) =>
    fields.push(...found),
  )
  assert.equal(Buffer.from(signed).toString(), 'a'.repeat(66_560))
  assert.deepEqual(fields, [['x-amz-checksum-crc32c', 'sOO8/Q==']])
  const unsigned = decodeWhole(Buffer.from(unsignedBody), { trailers: true }, () => {})
  assert.equal(Buffer.from(unsigned).toString(), 'hello world')
})

test('an unsigned stream with a trailer, cut at every place', async () => {
  for (let cut = 0; cut <= unsignedBody.length; cut++) {
    const { text, trailers } = await decode(split(unsignedBody, cut), { trailers: true })
    assert.equal(text, 'hello world')
    assert.deepEqual(trailers, { 'x-amz-checksum-crc32': 'DUoRhQ==' })
  }
})

test('any changed byte of a signed stream is found', async () => {
  const framing = { signed: await verified(), trailers: true }
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: signedBody.length - 1 }), async (at) => {
      const bent = `${signedBody.slice(0, at)}${signedBody[at] === 'b' ? 'c' : 'b'}${signedBody.slice(at + 1)}`
      await assert.rejects(decode(split(bent), framing))
      assert.throws(() => decodeWhole(Buffer.from(bent), framing, () => {}))
    }),
    { numRuns: 60 },
  )
})

test('what breaks off, or goes on, or is not understood, is refused', async () => {
  for (const [body, trailers] of [
    ['', true],
    ['5\r\nhel', true],
    ['5\r\nhello', true],
    ['5\r\nhello\r\n', true],
    ['5\r\nhello\r\n0\r\n', true],
    ['5\r\nhello!\r\n0\r\n\r\n', true],
    [`${unsignedBody}more`, true],
    ['zz\r\n\r\n', true],
    ['ffffffff\r\n', true],
    ['5\r\nhello\r\n0\r\nno colon\r\n\r\n', true],
    [`0\r\n${'x'.repeat(5000)}`, true],
    ['5\r\nhello\r\n0\r\nx:y\r\n\r\n', false],
  ] as const) {
    await assert.rejects(decode(split(body), { trailers }), { code: 's3.incomplete' }, body)
    assert.throws(() => decodeWhole(Buffer.from(body), { trailers }, () => {}), { code: 's3.incomplete' }, body)
  }
})
