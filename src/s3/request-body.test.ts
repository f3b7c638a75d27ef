import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { hasCode, type OffloadedHash } from '#kernel'
import type { Verified } from '#access'
import { requestBody } from './request-body.ts'

const content = Buffer.from('hello world')
const md5 = createHash('md5').update(content).digest()
const sha256 = createHash('sha256').update(content).digest()
const key = { id: 'k', secret: 's', tenant: 't', actor: 'a' }

function inlineHash(name: string): OffloadedHash {
  const hash = createHash(name)
  return { update: async (bytes) => void hash.update(bytes), digest: async () => hash.digest(), drop: () => {} }
}
const offload = {
  hash: inlineHash,
  compile: async () => Promise.reject(new Error('nothing is compiled here')),
}

type Case = { sent: Buffer; payload?: string; headers?: Record<string, string> }

function bodyOf({ sent, payload = 'UNSIGNED-PAYLOAD', headers = {} }: Case) {
  async function* stream() {
    yield Buffer.from(sent.subarray(0, 7))
    yield Buffer.from(sent.subarray(7))
  }
  const request = {
    method: 'PUT',
    target: '/b/k',
    headers: { 'content-length': String(sent.length), ...headers },
    body: stream(),
    whole: async () => Buffer.from(sent),
    signal: new AbortController().signal,
  }
  const verified = { key, payload, presigned: false, signature: '', time: '', scope: '' } as unknown as Verified
  return requestBody(request, verified, offload)
}

/** Takes the body in both ways: what holds for one must hold for the other. */
async function bothWays(one: Case, computed: Buffer | undefined) {
  const whole = bodyOf(one)
  const streamed = bodyOf(one)
  const bytes = await whole.whole?.()
  const pieces: Uint8Array[] = []
  for await (const piece of streamed.chunks) pieces.push(piece)
  assert.deepEqual(Buffer.concat(pieces), Buffer.from(bytes ?? []))
  const outcomes = [whole, streamed].map((body) => {
    try {
      return { checksum: body.finish(computed), vouched: body.vouched }
    } catch (error) {
      const known = ['s3.digest', 's3.sha256', 's3.incomplete'].find((code) => hasCode(error, code))
      if (!known) throw error
      return { code: known }
    }
  })
  assert.deepEqual(outcomes[0], outcomes[1])
  return outcomes[0]
}

const framed = (trailer: string): Case => ({
  sent: Buffer.from(`6\r\nhello \r\n5\r\nworld\r\n0\r\n${trailer}\r\n`),
  payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  headers: { 'x-amz-decoded-content-length': '11', 'x-amz-trailer': 'x-amz-checksum-crc32' },
})
const crc32 = 'DUoRhQ=='

test('what the client promised is kept, whole or in pieces', async () => {
  const checksum = { algorithm: 'CRC32', value: crc32, type: 'FULL_OBJECT' }
  assert.deepEqual(await bothWays({ sent: content }, md5), { checksum: undefined, vouched: false })
  const header = { sent: content, headers: { 'x-amz-checksum-crc32': crc32 } }
  assert.deepEqual(await bothWays(header, undefined), { checksum, vouched: true })
  const sha = { sent: content, headers: { 'x-amz-checksum-sha256': sha256.toString('base64') } }
  assert.deepEqual(await bothWays(sha, undefined), {
    checksum: { algorithm: 'SHA256', value: sha256.toString('base64'), type: 'FULL_OBJECT' },
    vouched: true,
  })
  assert.deepEqual(await bothWays(framed(`x-amz-checksum-crc32:${crc32}\r\n`), undefined), { checksum, vouched: true })
  const signed = { sent: content, payload: sha256.toString('hex') }
  assert.deepEqual(await bothWays(signed, undefined), { checksum: undefined, vouched: true })
  // Who states an MD5 wants it looked at, so nothing else vouches instead of it.
  const both = { sent: content, headers: { 'content-md5': md5.toString('base64'), 'x-amz-checksum-crc32': crc32 } }
  assert.deepEqual(await bothWays(both, md5), { checksum, vouched: false })
})

test('what is not as promised is refused, whole or in pieces', async () => {
  const other = createHash('md5').update('x').digest()
  const wrong: [Case, Buffer | undefined, string][] = [
    [{ sent: content, headers: { 'content-md5': md5.toString('base64') } }, other, 's3.digest'],
    [{ sent: content, headers: { 'content-md5': md5.toString('base64') } }, undefined, 's3.digest'],
    [{ sent: content, headers: { 'x-amz-checksum-crc32': 'AAAAAA==' } }, md5, 's3.digest'],
    [{ sent: content, payload: createHash('sha256').digest('hex') }, md5, 's3.sha256'],
    [framed('x-amz-checksum-crc32:AAAAAA==\r\n'), md5, 's3.digest'],
    [framed('x-other:AAAAAA==\r\n'), md5, 's3.incomplete'],
  ]
  for (const [one, computed, code] of wrong) assert.deepEqual(await bothWays(one, computed), { code }, code)
})

test('a whole body has the length that was stated; a large one is not offered whole', async () => {
  const short = framed(`x-amz-checksum-crc32:${crc32}\r\n`)
  const longer = bodyOf({ ...short, headers: { ...short.headers, 'x-amz-decoded-content-length': '12' } })
  await assert.rejects(longer.whole?.() ?? Promise.resolve(), { code: 's3.incomplete' })
  assert.equal(bodyOf({ sent: Buffer.alloc(64 * 1024 + 1) }).whole, undefined)
  assert.ok(bodyOf({ sent: Buffer.alloc(64 * 1024) }).whole)
})
