import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  createBucket,
  getBucket,
  getBucketPolicy,
  listBuckets,
  listLog,
  problemOf,
  rotateLogKey,
  setBucketEtags,
  watchHealth,
} from '#api'
import { PelagoError, utf8 } from '#kernel'
import { openClient, openObjects, parseAddress, signRequest, type StreamTransport, type Transport } from './index.ts'
import { eventsOf } from './event-stream.ts'
import { encodePath } from './sign-request.ts'
import { textsOf } from './xml-texts.ts'

const code = (expected: string) => (error: unknown) => error instanceof PelagoError && error.code === expected
const answering =
  (status: number, body: unknown): Transport =>
  () =>
    Promise.resolve({ status, body: typeof body === 'string' ? body : JSON.stringify(body) })

/** A clock that is always where it is told to wait for, and chance that is none. */
function heldClock() {
  let now = 0
  const pauses: number[] = []
  const after = (ms: number, act: () => void) => {
    // A watchdog is not waited for.
    if (ms > 10_000) return () => {}
    pauses.push(ms)
    const soon = setImmediate(() => {
      now += ms
      act()
    })
    return () => clearImmediate(soon)
  }
  return { now: () => now, after, pauses }
}
const random = { bytes: (length: number) => new Uint8Array(length).fill(128) }

function clientOf(send: Transport, stream: StreamTransport = () => assert.fail('streamed'), clock = heldClock()) {
  return openClient({ send, stream, clock, random })
}

test('the client sends what the operation says and returns what it promises', async () => {
  const seen: unknown[] = []
  const client = clientOf((request) => {
    seen.push(request)
    return answering(200, { buckets: [], next: null })(request)
  })
  assert.deepEqual(await client.ask(listBuckets, {}), { buckets: [], next: null })
  assert.deepEqual(seen, [{ server: 'gateway', method: 'GET', path: '/v1/buckets', headers: {} }])
})

test('wrong input is refused unsent; wrong answers and foreign servers are named', async () => {
  const unsent = clientOf(() => assert.fail('was sent'))
  await assert.rejects(unsent.ask(getBucketPolicy, { name: 'NO' }), code('request.invalid'))
  await assert.rejects(clientOf(answering(200, { buckets: 1 })).ask(listBuckets, {}), code('answer.invalid'))
  await assert.rejects(clientOf(answering(200, '<html>')).ask(listBuckets, {}), code('answer.invalid'))
  await assert.rejects(clientOf(answering(404, 'nginx')).ask(listBuckets, {}), code('answer.foreign'))
  const problem = problemOf(
    new PelagoError('bucket.missing', { kind: 'missing', retryable: false, message: 'none' }),
    't',
  )
  await assert.rejects(clientOf(answering(404, problem)).ask(getBucketPolicy, { name: 'demo' }), code('bucket.missing'))
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

const bucket = {
  name: 'demo',
  createdAt: 1,
  policy: {
    version: 1,
    jurisdictions: ['EU'],
    attestations: [],
    ownersRefused: [],
    survive: { providers: 2, countries: 0 },
    greatestShare: 0.5,
    whenShort: 'refuse',
  },
  policyEpoch: 1,
  etags: 'md5',
  revision: 7,
}
const troubled = (errorCode: string, kind: 'unavailable' | 'uncertain' | 'conflict', retryable = true) =>
  problemOf(new PelagoError(errorCode, { kind, retryable, message: 'trouble' }), 't')

/** Answers one after the other, the last one for ever; keeps what was asked. */
function script(...answers: [status: number, body: unknown, headers?: Record<string, string>][]) {
  const asked: Parameters<Transport>[0][] = []
  const send: Transport = (request) => {
    const [status, body, headers = {}] = answers[Math.min(asked.length, answers.length - 1)] ?? assert.fail()
    asked.push({ ...request, headers: { ...request.headers } })
    return Promise.resolve({ status, headers, body: JSON.stringify(body) })
  }
  return { send, asked }
}

test('what may be repeated is, under the same key, later each time, and as the server says', async () => {
  const clock = heldClock()
  const { send, asked } = script(
    [503, troubled('database.busy', 'unavailable')],
    [504, troubled('operation.late', 'uncertain', false)],
    [409, troubled('request.running', 'conflict'), { 'retry-after': '3' }],
    [200, bucket],
  )
  const made = await clientOf(send, undefined, clock).ask(createBucket, { name: 'demo' })
  assert.equal(made.revision, 7)
  assert.deepEqual(clock.pauses, [75, 150, 3000])
  const keys = new Set(asked.map(({ headers }) => headers['idempotency-key']))
  assert.equal(asked.length, 4)
  assert.match([...keys].join(), /^"[\w-]{24}"$/)
  const named = script([200, bucket])
  await clientOf(named.send).ask(createBucket, { name: 'demo' }, { wish: 'the-same-after-a-restart' })
  assert.equal(named.asked[0]?.headers['idempotency-key'], '"the-same-after-a-restart"')
})

test('what may not be repeated is not, and trying ends', async () => {
  const uncertain = script([504, troubled('database.uncertain', 'uncertain')])
  await assert.rejects(clientOf(uncertain.send).ask(rotateLogKey, {}), code('database.uncertain'))
  assert.equal(uncertain.asked.length, 1, 'a repetition would do it again')
  const crowded = script([429, troubled('request.rate', 'unavailable'), { 'retry-after': '1' }])
  await assert.rejects(clientOf(crowded.send).ask(rotateLogKey, {}), code('request.rate'))
  assert.equal(crowded.asked.length, 6, 'what was not begun may be asked again')
  const late = script([503, troubled('database.busy', 'unavailable'), { 'retry-after': '9' }])
  await assert.rejects(
    clientOf(late.send).ask(getBucket, { name: 'demo' }, { withinMs: 20_000 }),
    code('database.busy'),
  )
  assert.equal(late.asked.length, 3, 'the third pause would end after 27 s')
  const stop = new AbortController()
  const left: Transport = () => {
    stop.abort()
    return Promise.reject(new PelagoError('connect.refused', { kind: 'unavailable', retryable: true, message: 'x' }))
  }
  await assert.rejects(clientOf(left).ask(listBuckets, {}, { signal: stop.signal }), code('connect.refused'))
})

test('a change is held to the revision that was seen', async () => {
  const { send, asked } = script([200, bucket])
  await clientOf(send).ask(setBucketEtags, { name: 'demo', etags: 'md5' }, { expected: 7 })
  assert.equal(asked[0]?.headers['if-match'], '"7"')
})

test('pages follow each other until there is no next one', async () => {
  const { send, asked } = script([200, { entries: [], next: 5 }], [200, { entries: [], next: null }])
  const pages = await Array.fromAsync(clientOf(send).pages(listLog, { limit: 10 }))
  assert.equal(pages.length, 2)
  assert.deepEqual(
    asked.map(({ path }) => path),
    ['/v1/log?limit=10', '/v1/log?limit=10&after=5'],
  )
})

test('events are read in any pieces, with every line end', async () => {
  const text =
    'retry: 2000\n\n:\n\nid: 1\ndata: {"a":\ndata: "é"}\n\nevent: problem\r\ndata: x\r\n\r\ndata\n\nid: 3\rdata:y\r\r'
  const bytes = utf8(text)
  const expected = [
    { name: 'message', id: '1', data: '{"a":\n"é"}' },
    { name: 'problem', id: '1', data: 'x' },
    { name: 'message', id: '1', data: '' },
    { name: 'message', id: '3', data: 'y' },
  ]
  for (const size of [1, 2, 3, 7, bytes.length]) {
    async function* pieces() {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
      yield utf8('\n')
    }
    assert.deepEqual(await Array.fromAsync(eventsOf(pieces(), () => {})), expected, `pieces of ${size}`)
  }
})

test('a stream that breaks is begun again where it was, and one that is refused for good is not', async () => {
  const state = { now: 1, providers: [], margins: [], degraded: 0, repairing: 0, objects: 0 }
  const event = (id: string, now: number) => utf8(`id: ${id}\ndata: ${JSON.stringify({ ...state, now })}\n\n`)
  const seen: (string | undefined)[] = []
  const stream: StreamTransport = ({ headers }) => {
    seen.push(headers['last-event-id'])
    async function* body() {
      if (seen.length > 3) return
      yield event(`e${seen.length}`, seen.length)
      if (seen.length === 1) throw new TypeError('terminated')
    }
    if (seen.length === 2) return Promise.reject(new TypeError('fetch failed'))
    if (seen.length < 4) return Promise.resolve({ status: 200, body: body() })
    async function* refusal() {
      yield utf8(
        JSON.stringify(
          problemOf(new PelagoError('request.forbidden', { kind: 'denied', retryable: false, message: 'no' }), 't'),
        ),
      )
    }
    return Promise.resolve({ status: 403, body: refusal() })
  }
  const got: number[] = []
  const follow = async () => {
    const client = clientOf(() => assert.fail(), stream)
    for await (const { now } of client.follow(watchHealth, {}, new AbortController().signal)) got.push(now)
  }
  await assert.rejects(follow(), code('request.forbidden'))
  assert.deepEqual(
    [got, seen],
    [
      [1, 3],
      [undefined, 'e1', 'e1', 'e3'],
    ],
  )
})
