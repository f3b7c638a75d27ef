import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import * as aws from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { type Pelago, startPelago } from './start-pelago.ts'

const mebibyte = 1024 * 1024
const opaque = /^"[0-9a-f]{32}-0"$/
const md5Of = (bytes: Uint8Array | string) => createHash('md5').update(bytes).digest()
const quotedMd5 = (bytes: Uint8Array | string) => `"${md5Of(bytes).toString('hex')}"`

describe('buckets with MD5 or opaque ETags', () => {
  let pelago: Pelago
  let s3: aws.S3Client
  const Bucket = 'opaque'
  const put = (Key: string, Body: Uint8Array | string, more: Partial<aws.PutObjectCommandInput> = {}) =>
    s3.send(new aws.PutObjectCommand({ Bucket, Key, Body, ...more }))
  const etagsOf = async (Key: string) => {
    const head = await s3.send(new aws.HeadObjectCommand({ Bucket, Key }))
    const list = await s3.send(new aws.ListObjectsV2Command({ Bucket, Prefix: Key }))
    return [head.ETag, list.Contents?.[0]?.ETag]
  }

  before(async () => {
    pelago = await startPelago()
    s3 = new aws.S3Client({
      ...{ endpoint: pelago.s3, region: pelago.region, credentials: pelago },
      ...{ forcePathStyle: true, maxAttempts: 1 },
    })
    assert.equal((await pelago.cli('bucket', 'create', Bucket, '--etags', 'opaque')).code, 0)
  })
  after(async () => {
    s3.destroy()
    await pelago.close()
  })

  test('the choice is shown, and nothing but a choice is taken', async () => {
    assert.equal((await pelago.cli('bucket', 'create', 'usual')).code, 0)
    const listed = JSON.parse((await pelago.cli('bucket', 'list', '--json')).out) as {
      buckets: { name: string; etags: string }[]
    }
    assert.deepEqual(
      listed.buckets.map(({ name, etags }) => [name, etags]),
      [
        ['opaque', 'opaque'],
        ['usual', 'md5'],
      ],
    )
    assert.match((await pelago.cli('bucket', 'list')).out, /ETAGS[^]*opaque +\S+ +opaque/)
    assert.equal((await pelago.cli('bucket', 'create', 'other', '--etags', 'sha1')).code, 2)
    assert.equal((await pelago.cli('bucket', 'set', 'usual')).code, 2)
    assert.match((await pelago.cli('bucket', 'set', 'none', '--etags', 'md5')).err, /no bucket none/)
  })

  for (const size of [0, 1000, 2 * mebibyte + 1]) {
    test(`${size} bytes with a checksum have an opaque ETag that holds in conditions`, async () => {
      const body = randomBytes(size)
      const Key = `size/${size}`
      const first = await put(Key, body)
      assert.match(first.ETag ?? '', opaque)
      assert.deepEqual(await etagsOf(Key), [first.ETag, first.ETag])
      const found = await s3.send(new aws.GetObjectCommand({ Bucket, Key, IfMatch: first.ETag }))
      assert.ok(body.equals((await found.Body?.transformToByteArray()) ?? new Uint8Array(1)))
      const second = await put(Key, body, { IfMatch: first.ETag })
      assert.match(second.ETag ?? '', opaque)
      assert.notEqual(second.ETag, first.ETag)
      await assert.rejects(put(Key, body, { IfMatch: first.ETag }), { name: 'PreconditionFailed' })
      await assert.rejects(put(Key, body, { ChecksumCRC32: 'AAAAAQ==' }), { name: 'BadDigest' })
      assert.deepEqual(await etagsOf(Key), [second.ETag, second.ETag])
    })
  }

  test('without anything that vouches, and with Content-MD5, the ETag is the MD5', async () => {
    const plain = new aws.S3Client({
      ...{ endpoint: pelago.s3, region: pelago.region, credentials: pelago, forcePathStyle: true, maxAttempts: 1 },
      requestChecksumCalculation: 'WHEN_REQUIRED',
    })
    const putPlain = (Body: string, more: Partial<aws.PutObjectCommandInput> = {}) =>
      plain.send(new aws.PutObjectCommand({ Bucket, Key: 'plain', Body, ...more }))
    const url = await getSignedUrl(plain, new aws.PutObjectCommand({ Bucket, Key: 'plain' }))
    const answer = await fetch(url, { method: 'PUT', body: 'unsigned' })
    assert.equal(answer.headers.get('etag'), quotedMd5('unsigned'))
    // The SDK signs the hash of the payload, which vouches for it.
    assert.match((await putPlain('signed')).ETag ?? '', opaque)
    const ContentMD5 = md5Of('stated').toString('base64')
    assert.equal((await putPlain('stated', { ContentMD5 })).ETag, quotedMd5('stated'))
    await assert.rejects(putPlain('other', { ContentMD5 }), { name: 'BadDigest' })
    plain.destroy()
  })

  test('parts, a stream of unknown length, and copies', async () => {
    const Key = 'multi'
    const parts = [randomBytes(5 * mebibyte), randomBytes(17)]
    const { UploadId } = await s3.send(new aws.CreateMultipartUploadCommand({ Bucket, Key }))
    const done: aws.CompletedPart[] = []
    for (const [at, Body] of parts.entries()) {
      const PartNumber = at + 1
      const { ETag } = await s3.send(new aws.UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }))
      assert.match(ETag ?? '', opaque)
      done.push({ PartNumber, ETag })
    }
    const MultipartUpload = { Parts: done }
    const whole = await s3.send(new aws.CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }))
    assert.match(whole.ETag ?? '', /^"[0-9a-f]{32}-2"$/)
    const stream = new Upload({ client: s3, params: { Bucket, Key: 'stream', Body: Readable.from(parts) } })
    assert.match((await stream.done()).ETag ?? '', /^"[0-9a-f]{32}-2"$/)
    const copied = await s3.send(new aws.CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/stream` }))
    assert.match(copied.CopyObjectResult?.ETag ?? '', opaque)
    for (const one of [Key, 'stream', 'copy']) {
      const found = await s3.send(new aws.GetObjectCommand({ Bucket, Key: one }))
      const bytes = Buffer.from((await found.Body?.transformToByteArray()) ?? [])
      assert.ok(bytes.equals(Buffer.concat(parts)), one)
    }
  })

  test('a bucket that is set to MD5 again has it from then on; what is stored keeps its ETag', async () => {
    const before = await put('before', 'body')
    assert.equal((await pelago.cli('bucket', 'set', Bucket, '--etags', 'md5')).code, 0)
    assert.equal((await put('after', 'body')).ETag, quotedMd5('body'))
    assert.deepEqual(await etagsOf('before'), [before.ETag, before.ETag])
    assert.equal((await pelago.cli('bucket', 'set', Bucket, '--etags', 'opaque')).code, 0)
    assert.match((await put('after', 'body')).ETag ?? '', opaque)
  })
})
