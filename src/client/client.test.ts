import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { getBucketPolicy, listBuckets, problemOf } from '#api'
import { PelagoError, utf8 } from '#kernel'
import { openClient, openObjects, parseAddress, signRequest, type Transport } from './index.ts'
import { encodePath } from './sign-request.ts'
import { textsOf } from './xml-texts.ts'

const code = (expected: string) => (error: unknown) => error instanceof PelagoError && error.code === expected
const answering =
  (status: number, body: unknown): Transport =>
  () =>
    Promise.resolve({ status, body: typeof body === 'string' ? body : JSON.stringify(body) })

test('the client sends what the operation says and returns what it promises', async () => {
  const seen: unknown[] = []
  const client = openClient((request) => {
    seen.push(request)
    return answering(200, { buckets: [] })(request)
  })
  assert.deepEqual(await client.ask(listBuckets, {}), { buckets: [] })
  assert.deepEqual(seen, [{ server: 'gateway', method: 'GET', path: '/v1/buckets' }])
})

test('wrong input is refused unsent; wrong answers and foreign servers are named', async () => {
  const unsent = openClient(() => assert.fail('was sent'))
  await assert.rejects(unsent.ask(getBucketPolicy, { name: 'NO' }), code('request.invalid'))
  await assert.rejects(openClient(answering(200, { buckets: 1 })).ask(listBuckets, {}), code('answer.invalid'))
  await assert.rejects(openClient(answering(200, '<html>')).ask(listBuckets, {}), code('answer.invalid'))
  await assert.rejects(openClient(answering(404, 'nginx')).ask(listBuckets, {}), code('answer.foreign'))
  const problem = problemOf(
    new PelagoError('bucket.missing', { kind: 'missing', retryable: false, message: 'none' }),
    't',
  )
  await assert.rejects(
    openClient(answering(404, problem)).ask(getBucketPolicy, { name: 'demo' }),
    code('bucket.missing'),
  )
})

/** The example of the S3 documentation, "GET Object" with the Range header, and its published signature. */
test('a request is signed as the published example is', () => {
  const headers = signRequest(
    { method: 'GET', url: new URL('https://examplebucket.s3.amazonaws.com/test.txt'), headers: { range: 'bytes=0-9' } },
    { id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
    'us-east-1',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    Date.UTC(2013, 4, 24),
  )
  assert.match(
    headers.authorization ?? '',
    /Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41$/,
  )
})

test('a path carries any key and the URL leaves it as it was signed', () => {
  const keys = fc.string({ minLength: 1, unit: 'grapheme' }).filter((key) => key.isWellFormed())
  fc.assert(
    fc.property(keys, (key) => {
      const path = encodePath(key)
      assert.equal(decodeURIComponent(path), key)
      assert.match(path, /^[A-Za-z0-9\-._~%/]*$/)
    }),
  )
})

test('addresses are read, and what is none is refused', () => {
  assert.deepEqual(parseAddress('s3://demo/a/b c'), { bucket: 'demo', key: 'a/b c' })
  assert.deepEqual(parseAddress('s3://demo'), { bucket: 'demo', key: '' })
  for (const bad of ['demo/a', 's3:/demo/a', 's3://', 's3://D/a', 'http://demo/a'])
    assert.throws(() => parseAddress(bad), code('address.invalid'))
})

test('texts are found in XML with their entities resolved', () => {
  const xml = '<R><C><Key>a&amp;b&#x41;&#66;</Key></C><C><Key>c</Key></C><Key/></R>'
  assert.deepEqual(
    textsOf(xml, 'C').flatMap((entry) => textsOf(entry, 'Key')),
    ['a&bAB', 'c'],
  )
  assert.deepEqual(textsOf('<Key>open', 'Key'), [])
})

test('pages of a list follow each other, refusals keep their words, a broken body is no object', async () => {
  const clock = { now: () => 0, after: () => () => {} }
  const answers = [
    [200, '<L><Contents><Key>a+b</Key><Size>1</Size></Contents><NextContinuationToken>t</NextContinuationToken></L>'],
    [200, '<L><Contents><Key>c%2Fd</Key><Size>2</Size></Contents></L>'],
    [404, '<Error><Code>NoSuchKey</Code><Message>x</Message></Error>'],
    [403, '<Error><Code>AccessDenied</Code><Message>Not you</Message></Error>'],
    [200, 'short'],
  ] as const
  const urls: string[] = []
  const objects = openObjects(
    {
      clock,
      send: ({ url }) => {
        const [status, body] = answers[urls.push(url.toString()) - 1] ?? assert.fail('one request too many')
        async function* chunks() {
          yield utf8(body)
        }
        return Promise.resolve({ status, headers: { 'content-length': '9' }, body: chunks() })
      },
    },
    'http://127.0.0.1:9000',
    { id: 'a', secret: 'b' },
  )
  const keys: string[] = []
  for await (const { key } of objects.list({ bucket: 'demo', key: '' })) keys.push(key)
  assert.deepEqual(keys, ['a b', 'c/d'])
  await assert.rejects(objects.get({ bucket: 'demo', key: '../other/x' }), code('address.invalid'))
  assert.match(urls[1] ?? '', /continuation-token=t/)
  await assert.rejects(objects.get({ bucket: 'demo', key: 'x y' }), /no object demo\/x y/)
  await assert.rejects(objects.get({ bucket: 'demo', key: 'x' }), /Not you \(AccessDenied, status 403\)/)
  const { body } = await objects.get({ bucket: 'demo', key: 'x' })
  await assert.rejects(Array.fromAsync(body), code('s3.damaged'))
})
