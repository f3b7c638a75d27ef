import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import * as aws from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { type Pelago, startPelago } from './start-pelago.ts'

const mebibyte = 1024 * 1024

describe('AWS SDK for JavaScript v3', () => {
  let pelago: Pelago
  let s3: aws.S3Client
  const Bucket = 'sdk'
  const send = s3Sender(() => s3)
  const clientOf = (changes: aws.S3ClientConfig = {}) =>
    new aws.S3Client({
      endpoint: pelago.s3,
      region: pelago.region,
      credentials: pelago,
      forcePathStyle: true,
      maxAttempts: 2,
      ...changes,
    })

  before(async () => {
    pelago = await startPelago()
    s3 = clientOf()
    await send(new aws.CreateBucketCommand({ Bucket }))
  })
  after(async () => {
    s3.destroy()
    await pelago.close()
  })

  const put = (Key: string, Body: string | Uint8Array, more: Partial<aws.PutObjectCommandInput> = {}) =>
    send(new aws.PutObjectCommand({ Bucket, Key, Body, ...more }))
  const get = async (Key: string, more: Partial<aws.GetObjectCommandInput> = {}) => {
    const found = await send(new aws.GetObjectCommand({ Bucket, Key, ...more }))
    return { ...found, bytes: Buffer.from((await found.Body?.transformToByteArray()) ?? []) }
  }
  const refused =
    (status: number, name: string) => (error: { name: string; $metadata?: { httpStatusCode?: number } }) => {
      assert.equal(error.name, name)
      assert.equal(error.$metadata?.httpStatusCode, status)
      return true
    }

  test('buckets: create, list, head, location, delete, with the errors of S3', async () => {
    await send(new aws.CreateBucketCommand({ Bucket: 'second' }))
    await assert.rejects(
      send(new aws.CreateBucketCommand({ Bucket: 'second' })),
      refused(409, 'BucketAlreadyOwnedByYou'),
    )
    await assert.rejects(send(new aws.CreateBucketCommand({ Bucket: 'No_Bucket' })), refused(400, 'InvalidBucketName'))
    const { Buckets } = await send(new aws.ListBucketsCommand({}))
    assert.deepEqual(
      Buckets?.map(({ Name }) => Name),
      [Bucket, 'second'],
    )
    await send(new aws.CreateBucketCommand({ Bucket: 'second.more' }))
    const pages: string[][] = []
    for await (const page of aws.paginateListBuckets({ client: s3, pageSize: 1 }, {}))
      pages.push((page.Buckets ?? []).map(({ Name = '' }) => Name))
    assert.deepEqual(pages, [[Bucket], ['second'], ['second.more']])
    const listed = async (input: aws.ListBucketsCommandInput) => {
      const found = await send(new aws.ListBucketsCommand(input))
      return [found.Buckets?.map(({ Name }) => Name) ?? [], found.Prefix, found.ContinuationToken !== undefined]
    }
    assert.deepEqual(await listed({ Prefix: 'second', MaxBuckets: 1 }), [['second'], 'second', true])
    assert.deepEqual(await listed({ Prefix: 'second.' }), [['second.more'], 'second.', false])
    assert.deepEqual(await listed({ BucketRegion: pelago.region }), [
      [Bucket, 'second', 'second.more'],
      undefined,
      false,
    ])
    assert.deepEqual(await listed({ BucketRegion: 'elsewhere-1' }), [[], undefined, false])
    await assert.rejects(listed({ MaxBuckets: 0 }), refused(400, 'InvalidArgument'))
    await assert.rejects(listed({ ContinuationToken: 'no token' }), refused(400, 'InvalidArgument'))
    const shown = await pelago.cli('bucket', 'list', '--prefix', 'second.', '--json')
    assert.deepEqual(
      (JSON.parse(shown.out) as { buckets: { name: string }[] }).buckets.map(({ name }) => name),
      ['second.more'],
    )
    await send(new aws.DeleteBucketCommand({ Bucket: 'second.more' }))
    await send(new aws.HeadBucketCommand({ Bucket: 'second' }))
    assert.equal((await send(new aws.GetBucketLocationCommand({ Bucket: 'second' }))).LocationConstraint, pelago.region)
    await send(new aws.PutObjectCommand({ Bucket: 'second', Key: 'a', Body: 'a' }))
    await assert.rejects(send(new aws.DeleteBucketCommand({ Bucket: 'second' })), refused(409, 'BucketNotEmpty'))
    await send(new aws.DeleteObjectCommand({ Bucket: 'second', Key: 'a' }))
    await send(new aws.DeleteBucketCommand({ Bucket: 'second' }))
    await assert.rejects(send(new aws.HeadBucketCommand({ Bucket: 'second' })), refused(404, 'NotFound'))
    await assert.rejects(send(new aws.ListObjectsV2Command({ Bucket: 'second' })), refused(404, 'NoSuchBucket'))
  })

  for (const size of [0, 1, 4096, 100_000, 5 * mebibyte + 3, 33 * mebibyte + 7]) {
    test(`${size} bytes come back as they were, with MD5 as ETag and CRC32 checked by the SDK`, async () => {
      const body = randomBytes(size)
      const answer = await put(`size/${size}`, body)
      assert.equal(answer.ETag, `"${createHash('md5').update(body).digest('hex')}"`)
      const found = await get(`size/${size}`, { ChecksumMode: 'ENABLED' })
      assert.ok(found.bytes.equals(body))
      assert.equal(found.ChecksumCRC32, answer.ChecksumCRC32)
      assert.ok(answer.ChecksumCRC32)
    })
  }

  test('metadata and content headers are kept; HEAD tells them', async () => {
    await put('headers', 'x', {
      ContentType: 'text/plain; charset=utf-8',
      CacheControl: 'max-age=60',
      ContentDisposition: 'attachment',
      ContentLanguage: 'de',
      ContentEncoding: 'gzip',
      Expires: new Date(Date.UTC(2030, 0, 1)),
      Metadata: { colour: 'blue', size: 'large' },
    })
    const head = await send(new aws.HeadObjectCommand({ Bucket, Key: 'headers' }))
    assert.equal(head.ContentType, 'text/plain; charset=utf-8')
    assert.equal(head.CacheControl, 'max-age=60')
    assert.equal(head.ContentDisposition, 'attachment')
    assert.equal(head.ContentLanguage, 'de')
    assert.equal(head.ContentEncoding, 'gzip')
    assert.deepEqual(head.Metadata, { colour: 'blue', size: 'large' })
    assert.equal(head.ContentLength, 1)
    await assert.rejects(put('headers', 'x', { Metadata: { a: 'b'.repeat(3000) } }), refused(400, 'MetadataTooLarge'))
  })

  test('ranges: first bytes, last bytes, a middle over cells, beyond the end', async () => {
    const body = randomBytes(2 * mebibyte)
    await put('range', body)
    for (const [Range, first, last] of [
      ['bytes=0-0', 0, 0],
      ['bytes=131071-131072', 131_071, 131_072],
      ['bytes=500000-1500000', 500_000, 1_500_000],
      ['bytes=-5', body.length - 5, body.length - 1],
      ['bytes=2097000-', 2_097_000, body.length - 1],
      ['bytes=2097000-99999999', 2_097_000, body.length - 1],
    ] as const) {
      const found = await get('range', { Range })
      assert.equal(found.ContentRange, `bytes ${first}-${last}/${body.length}`)
      assert.ok(found.bytes.equals(body.subarray(first, last + 1)), Range)
    }
    await assert.rejects(get('range', { Range: 'bytes=2097152-' }), refused(416, 'InvalidRange'))
  })

  test('conditional reads', async () => {
    const { ETag } = await put('conditional', 'one')
    assert.equal((await get('conditional', { IfMatch: ETag })).bytes.toString(), 'one')
    await assert.rejects(get('conditional', { IfMatch: '"other"' }), refused(412, 'PreconditionFailed'))
    await assert.rejects(
      get('conditional', { IfNoneMatch: ETag }),
      (error: { $metadata: { httpStatusCode: number } }) => error.$metadata.httpStatusCode === 304,
    )
    await assert.rejects(get('conditional', { IfUnmodifiedSince: new Date(0) }), refused(412, 'PreconditionFailed'))
    assert.equal((await get('conditional', { IfModifiedSince: new Date(0) })).bytes.toString(), 'one')
  })

  test('conditional writes, and of 32 racing writers exactly one is the first', async () => {
    const { ETag } = await put('cas', 'one', { IfNoneMatch: '*' })
    await assert.rejects(put('cas', 'two', { IfNoneMatch: '*' }), refused(412, 'PreconditionFailed'))
    await put('cas', 'two', { IfMatch: ETag })
    await assert.rejects(put('cas', 'three', { IfMatch: ETag }), refused(412, 'PreconditionFailed'))
    await assert.rejects(put('cas-missing', 'x', { IfMatch: ETag }), refused(404, 'NoSuchKey'))
    const outcomes = await Promise.allSettled(
      Array.from({ length: 32 }, (_, at) => put('race', `writer ${at}`, { IfNoneMatch: '*' })),
    )
    const winners = outcomes.flatMap(({ status }, at) => (status === 'fulfilled' ? [at] : []))
    assert.equal(winners.length, 1)
    assert.equal((await get('race')).bytes.toString(), `writer ${winners[0]}`)
  })

  test('copy: within, with other metadata, conditions, onto itself', async () => {
    await put('source ü/ä+b', 'to be copied', { ContentType: 'text/x', Metadata: { a: '1' } })
    const CopySource = `${Bucket}/${encodeURIComponent('source ü/ä+b')}`
    const copied = await send(new aws.CopyObjectCommand({ Bucket, Key: 'copy', CopySource }))
    assert.ok(copied.CopyObjectResult?.ETag)
    const head = await send(new aws.HeadObjectCommand({ Bucket, Key: 'copy' }))
    assert.deepEqual([head.ContentType, head.Metadata], ['text/x', { a: '1' }])
    await send(
      new aws.CopyObjectCommand({
        Bucket,
        Key: 'copy',
        CopySource,
        MetadataDirective: 'REPLACE',
        Metadata: { b: '2' },
      }),
    )
    assert.deepEqual((await get('copy')).Metadata, { b: '2' })
    assert.equal((await get('copy')).bytes.toString(), 'to be copied')
    await assert.rejects(
      send(new aws.CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/copy` })),
      refused(400, 'InvalidRequest'),
    )
    await assert.rejects(
      send(new aws.CopyObjectCommand({ Bucket, Key: 'copy', CopySource, CopySourceIfMatch: '"no"' })),
      refused(412, 'PreconditionFailed'),
    )
    await assert.rejects(
      send(new aws.CopyObjectCommand({ Bucket, Key: 'x', CopySource: `${Bucket}/nothing` })),
      refused(404, 'NoSuchKey'),
    )
  })

  test('delete one, delete many', async () => {
    await put('gone', 'x')
    await send(new aws.DeleteObjectCommand({ Bucket, Key: 'gone' }))
    await send(new aws.DeleteObjectCommand({ Bucket, Key: 'gone' }))
    await assert.rejects(get('gone'), refused(404, 'NoSuchKey'))
    await assert.rejects(send(new aws.HeadObjectCommand({ Bucket, Key: 'gone' })), refused(404, 'NotFound'))
    const keys = ['many/<&>"', 'many/ü', 'many/ ', 'many/c']
    for (const key of keys) await put(key, key)
    const answer = await send(
      new aws.DeleteObjectsCommand({ Bucket, Delete: { Objects: [...keys, 'many/none'].map((Key) => ({ Key })) } }),
    )
    assert.equal(answer.Deleted?.length, 5)
    assert.equal(answer.Errors, undefined)
    assert.equal((await send(new aws.ListObjectsV2Command({ Bucket, Prefix: 'many/' }))).KeyCount, 0)
  })

  test('listing: UTF-8 byte order, delimiter, pages, both versions', async () => {
    const keys = [
      'l/a',
      'l/a!b',
      'l/a+',
      'l/a/1',
      'l/a/2',
      'l/b/x/y',
      'l/z',
      'l/é',
      'l/～',
      'l/😀',
      'l/with space',
      'l/%41',
    ]
    for (const key of keys) await put(key, 'x')
    const sorted = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    for (const EncodingType of [undefined, 'url'] as const) {
      const decode = (key: string | undefined) => (EncodingType ? decodeURIComponent(key ?? '') : key)
      const all = await send(new aws.ListObjectsV2Command({ Bucket, Prefix: 'l/', EncodingType }))
      assert.deepEqual(
        all.Contents?.map(({ Key }) => decode(Key)),
        sorted,
      )
    }
    const level = await send(new aws.ListObjectsV2Command({ Bucket, Prefix: 'l/', Delimiter: '/' }))
    assert.deepEqual(
      level.CommonPrefixes?.map(({ Prefix }) => Prefix),
      ['l/a/', 'l/b/'],
    )
    assert.equal(level.KeyCount, sorted.length - 3 + 2)
    for (const version of [1, 2]) {
      const found: (string | undefined)[] = []
      let marker: string | undefined
      for (let page = 0; page < 20; page++) {
        const common = { Bucket, Prefix: 'l/', Delimiter: '/', MaxKeys: 3 }
        const answer =
          version === 1
            ? await send(new aws.ListObjectsCommand({ ...common, Marker: marker }))
            : await send(new aws.ListObjectsV2Command({ ...common, ContinuationToken: marker }))
        found.push(
          ...(answer.Contents ?? []).map(({ Key }) => Key),
          ...(answer.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
        )
        if (!answer.IsTruncated) break
        marker =
          'NextMarker' in answer ? answer.NextMarker : (answer as aws.ListObjectsV2CommandOutput).NextContinuationToken
        assert.ok(marker)
      }
      assert.deepEqual(new Set(found), new Set([...(level.Contents ?? []).map(({ Key }) => Key), 'l/a/', 'l/b/']))
      assert.equal(found.length, level.KeyCount)
    }
    assert.equal((await send(new aws.ListObjectsV2Command({ Bucket, Prefix: 'l/', MaxKeys: 0 }))).IsTruncated, false)
    const later = await send(new aws.ListObjectsV2Command({ Bucket, Prefix: 'l/', StartAfter: 'l/z' }))
    assert.deepEqual(
      later.Contents?.map(({ Key }) => Key),
      sorted.slice(sorted.indexOf('l/z') + 1),
    )
  })

  test('multipart: upload, list, part of an object, complete twice, abort, errors', async () => {
    const Key = 'multi'
    const parts = [randomBytes(5 * mebibyte), randomBytes(5 * mebibyte + 1), randomBytes(17)]
    const { UploadId } = await send(new aws.CreateMultipartUploadCommand({ Bucket, Key, ContentType: 'image/png' }))
    const done: { PartNumber: number; ETag: string | undefined; ChecksumCRC32: string | undefined }[] = []
    for (const [at, Body] of parts.entries()) {
      const PartNumber = at + 1
      const { ETag, ChecksumCRC32 } = await send(new aws.UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }))
      done.push({ PartNumber, ETag, ChecksumCRC32 })
    }
    const listed = await send(new aws.ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 2 }))
    assert.deepEqual(
      listed.Parts?.map(({ Size }) => Size),
      [parts[0]?.length, parts[1]?.length],
    )
    assert.equal(listed.IsTruncated, true)
    const uploads = await send(new aws.ListMultipartUploadsCommand({ Bucket }))
    assert.ok(uploads.Uploads?.some((upload) => upload.UploadId === UploadId))
    const complete = (Parts: aws.CompletedPart[]) =>
      send(new aws.CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }))
    await assert.rejects(complete([...done].reverse()), refused(400, 'InvalidPartOrder'))
    await assert.rejects(complete([{ PartNumber: 1, ETag: '"no"' }]), refused(400, 'InvalidPart'))
    await assert.rejects(
      complete([done[2] as aws.CompletedPart, { ...done[2], PartNumber: 4 }]),
      refused(400, 'InvalidPart'),
    )
    const first = await complete(done)
    const again = await complete(done)
    assert.equal(again.ETag, first.ETag)
    const md5s = parts.map((part) => createHash('md5').update(part).digest())
    assert.equal(first.ETag, `"${createHash('md5').update(Buffer.concat(md5s)).digest('hex')}-3"`)
    const whole = await get(Key)
    assert.ok(whole.bytes.equals(Buffer.concat(parts)))
    assert.equal(whole.ContentType, 'image/png')
    assert.ok((await get(Key, { PartNumber: 2 })).bytes.equals(parts[1] as Buffer))
    const over = await get(Key, { Range: `bytes=${5 * mebibyte - 3}-${5 * mebibyte + 3}` })
    assert.ok(over.bytes.equals(Buffer.concat(parts).subarray(5 * mebibyte - 3, 5 * mebibyte + 4)))

    const second = await send(new aws.CreateMultipartUploadCommand({ Bucket, Key: 'aborted' }))
    await send(
      new aws.UploadPartCommand({ Bucket, Key: 'aborted', UploadId: second.UploadId, PartNumber: 1, Body: 'x' }),
    )
    await send(new aws.AbortMultipartUploadCommand({ Bucket, Key: 'aborted', UploadId: second.UploadId }))
    await assert.rejects(
      send(new aws.ListPartsCommand({ Bucket, Key: 'aborted', UploadId: second.UploadId })),
      refused(404, 'NoSuchUpload'),
    )
    const small = await send(new aws.CreateMultipartUploadCommand({ Bucket, Key: 'small' }))
    const Parts: aws.CompletedPart[] = []
    for (const PartNumber of [1, 2]) {
      const { ETag } = await send(
        new aws.UploadPartCommand({ Bucket, Key: 'small', UploadId: small.UploadId, PartNumber, Body: 'x' }),
      )
      Parts.push({ PartNumber, ETag })
    }
    await assert.rejects(
      send(
        new aws.CompleteMultipartUploadCommand({
          Bucket,
          Key: 'small',
          UploadId: small.UploadId,
          MultipartUpload: { Parts },
        }),
      ),
      refused(400, 'EntityTooSmall'),
    )
  })

  test('parts copied from an object, and a stream of unknown length by lib-storage', async () => {
    const source = randomBytes(6 * mebibyte)
    await put('part-source', source)
    const Key = 'part-copy'
    const { UploadId } = await send(new aws.CreateMultipartUploadCommand({ Bucket, Key }))
    const copied = await send(
      new aws.UploadPartCopyCommand({
        Bucket,
        Key,
        UploadId,
        PartNumber: 1,
        CopySource: `${Bucket}/part-source`,
        CopySourceRange: `bytes=1-${5 * mebibyte}`,
      }),
    )
    await send(
      new aws.CompleteMultipartUploadCommand({
        Bucket,
        Key,
        UploadId,
        MultipartUpload: { Parts: [{ PartNumber: 1, ETag: copied.CopyPartResult?.ETag }] },
      }),
    )
    assert.ok((await get(Key)).bytes.equals(source.subarray(1, 5 * mebibyte + 1)))
    const stream = randomBytes(12 * mebibyte)
    const { Readable } = await import('node:stream')
    const upload = new Upload({
      client: s3,
      params: {
        Bucket,
        Key: 'stream',
        Body: Readable.from([stream.subarray(0, 7_000_000), stream.subarray(7_000_000)]),
      },
    })
    await upload.done()
    assert.ok((await get('stream')).bytes.equals(stream))
  })

  for (const ChecksumAlgorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const) {
    test(`${ChecksumAlgorithm}: kept, told, and a wrong one refused`, async () => {
      const body = Buffer.from('123456789')
      const name = `Checksum${ChecksumAlgorithm}` as 'ChecksumCRC32'
      const answer = await put(`sum/${ChecksumAlgorithm}`, body, { ChecksumAlgorithm })
      const head = await send(
        new aws.HeadObjectCommand({ Bucket, Key: `sum/${ChecksumAlgorithm}`, ChecksumMode: 'ENABLED' }),
      )
      assert.ok(answer[name])
      assert.equal(head[name], answer[name])
      const wrong = Buffer.from(answer[name], 'base64')
      wrong[0] = (wrong[0] as number) ^ 1
      await assert.rejects(put('sum/wrong', body, { [name]: wrong.toString('base64') }), refused(400, 'BadDigest'))
      await assert.rejects(get('sum/wrong'), refused(404, 'NoSuchKey'))
    })
  }

  test('Content-MD5 is checked', async () => {
    const right = createHash('md5').update('body').digest('base64')
    const plain = clientOf({ requestChecksumCalculation: 'WHEN_REQUIRED' })
    await plain.send(new aws.PutObjectCommand({ Bucket, Key: 'md5', Body: 'body', ContentMD5: right }))
    await assert.rejects(
      plain.send(new aws.PutObjectCommand({ Bucket, Key: 'md5', Body: 'other', ContentMD5: right })),
      refused(400, 'BadDigest'),
    )
    await assert.rejects(
      plain.send(new aws.PutObjectCommand({ Bucket, Key: 'md5', Body: 'other', ContentMD5: 'x' })),
      refused(400, 'InvalidDigest'),
    )
    plain.destroy()
  })

  test('presigned URLs put and get, until they expire or are changed', async () => {
    const url = await getSignedUrl(s3, new aws.PutObjectCommand({ Bucket, Key: 'signed' }), { expiresIn: 60 })
    assert.equal((await fetch(url, { method: 'PUT', body: 'by url' })).status, 200)
    const read = await getSignedUrl(
      s3,
      new aws.GetObjectCommand({ Bucket, Key: 'signed', ResponseContentType: 'text/x' }),
      { expiresIn: 60 },
    )
    const answer = await fetch(read)
    assert.equal(await answer.text(), 'by url')
    assert.equal(answer.headers.get('content-type'), 'text/x')
    assert.equal((await fetch(read.replace('/signed', '/other'))).status, 403)
    const injecting = new aws.GetObjectCommand({
      Bucket,
      Key: 'signed',
      ResponseContentType: 'text/x\r\nset-cookie: a',
    })
    assert.equal((await fetch(await getSignedUrl(s3, injecting, { expiresIn: 60 }))).status, 400)
    const old = await getSignedUrl(s3, new aws.GetObjectCommand({ Bucket, Key: 'signed' }), {
      expiresIn: 60,
      signingDate: new Date(Date.now() - 120_000),
    })
    assert.equal((await fetch(old)).status, 403)
  })

  test('who is not known, or signs wrongly, is refused', async () => {
    const stranger = clientOf({ credentials: { accessKeyId: 'nobody-at-all', secretAccessKey: 'x'.repeat(40) } })
    await assert.rejects(stranger.send(new aws.ListBucketsCommand({})), refused(403, 'InvalidAccessKeyId'))
    const liar = clientOf({ credentials: { accessKeyId: pelago.accessKeyId, secretAccessKey: 'x'.repeat(40) } })
    await assert.rejects(liar.send(new aws.ListBucketsCommand({})), refused(403, 'SignatureDoesNotMatch'))
    assert.equal((await fetch(`${pelago.s3}/${Bucket}/headers`)).status, 403)
    stranger.destroy()
    liar.destroy()
  })

  test('the bucket may be in the host name', async () => {
    await put('hosted', 'by host')
    const { port } = new URL(pelago.s3)
    const url = await getSignedUrl(
      clientOf({ endpoint: `http://localhost:${port}`, forcePathStyle: false }),
      new aws.GetObjectCommand({ Bucket, Key: 'hosted' }),
      { expiresIn: 60 },
    )
    const { host, pathname, search } = new URL(url)
    assert.equal(host, `${Bucket}.localhost:${port}`)
    const body = await new Promise<string>((resolve, reject) => {
      request({ host: '127.0.0.1', port, path: pathname + search, headers: { host } }, (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString()
        })
        response.on('end', () => resolve(text))
      })
        .on('error', reject)
        .end()
    })
    assert.equal(body, 'by host')
  })

  test('what is not built says so', async () => {
    await assert.rejects(
      send(new aws.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } })),
      refused(501, 'NotImplemented'),
    )
    await assert.rejects(
      send(new aws.PutObjectTaggingCommand({ Bucket, Key: 'headers', Tagging: { TagSet: [] } })),
      refused(501, 'NotImplemented'),
    )
    await assert.rejects(
      send(new aws.GetBucketLifecycleConfigurationCommand({ Bucket })),
      refused(501, 'NotImplemented'),
    )
    await assert.rejects(
      put('locked', 'x', { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: new Date() }),
      refused(501, 'NotImplemented'),
    )
    assert.equal((await send(new aws.GetBucketVersioningCommand({ Bucket }))).Status, undefined)
  })

  test('keys of every kind', async () => {
    for (const key of [
      'a//b',
      '/leading',
      'trailing/',
      '..',
      'a/../b',
      'plus+and space',
      'ümläut/😀',
      'q\'uo"te',
      '%2F',
      'a?b#c&d=e',
      'x'.repeat(1024),
    ]) {
      await put(key, key)
      assert.equal((await get(key)).bytes.toString(), key)
    }
    await assert.rejects(put('x'.repeat(1025), 'x'), refused(400, 'KeyTooLongError'))
  })
})

function s3Sender(client: () => aws.S3Client): aws.S3Client['send'] {
  return ((command: never) => client().send(command)) as aws.S3Client['send']
}
