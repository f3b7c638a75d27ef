/** Bytes over real sockets to both edges, and requests whose signatures are right and whose everything else is bent. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { XMLValidator } from 'fast-xml-parser'
import { chunkSignature, trailerSignature, verifyRequest } from '#access'
import { checkOutput, inputOf, matchOperation, type Operation, operations } from '#api'
import type { ApiCall } from '#roles'
import type { S3Request, S3Response } from '#s3'
import { addressOf } from '../../../src/s3/address.ts'
import { bucket, fuzzHouse, hostname, region, token } from '../house.ts'
import { authorizationOf, timeOf } from '../sign.ts'
import { field, heads, json, mustBeOurs, type Target } from '../target.ts'

/** So long nobody answers nor hangs up. */
const stuckMs = 3000
/** Who waits for an answer and has had one goes when nothing more comes for so long. */
const quietMs = 15

/**
 * Sends bytes in pieces, with pauses in which the other side may read, and ends as the bytes themselves decide: goes, says that no
 * more comes, or waits for what is said. @returns when the connection is gone
 */
async function converse(port: number, input: Buffer): Promise<void> {
  const dice = createHash('sha256').update(input).digest()
  const cuts = [...dice.subarray(0, (dice[31] as number) & 3)].map((byte) => Math.floor((byte * input.length) / 256))
  const places = [0, ...cuts.toSorted((a, b) => a - b), input.length]
  const pieces = places.slice(1).map((to, at) => input.subarray(places[at], to))
  const ending = (dice[30] as number) % 8
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  await new Promise<void>((resolve, reject) => {
    const stuck = setTimeout(() => {
      socket.destroy()
      reject(new Error('it neither answers nor hangs up'))
    }, stuckMs)
    let quiet: NodeJS.Timeout | undefined
    socket.on('close', () => {
      clearTimeout(stuck)
      clearTimeout(quiet)
      resolve()
    })
    // That it hangs up in the middle is its right.
    socket.on('error', () => socket.destroy())
    socket.on('end', () => socket.end())
    socket.on('data', () => {
      clearTimeout(quiet)
      quiet = setTimeout(() => socket.destroy(), quietMs)
    })
    const send = async () => {
      for (const piece of pieces) {
        if (socket.writable) socket.write(piece)
        await new Promise<void>((next) => void setImmediate(next))
      }
      if (ending === 0) socket.destroy()
      else if (ending < 4 && socket.writable) socket.end()
    }
    socket.on('connect', () => void send())
  })
}

const s3Words = [
  ...['GET ', 'PUT ', 'POST ', 'DELETE ', 'HEAD ', `/${bucket}/key`, ' HTTP/1.1\r\n', '\r\n\r\n', 'Host: x\r\n'],
  ...['Content-Length: 5\r\n', 'Content-Length: 0\r\n', 'Transfer-Encoding: chunked\r\n', 'Expect: 100-continue\r\n'],
  ...['Connection: close\r\n', '5\r\nhello\r\n0\r\n\r\n', 'Range: bytes=0-1\r\n', 'x-amz-copy-source: bucket/key\r\n'],
  ...['x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\n', 'x-amz-decoded-content-length: 5\r\n'],
  ...[
    '?uploads',
    '?uploadId=',
    '&partNumber=1',
    '?list-type=2',
    '?delete',
    '?policy',
    '?max-keys=0',
    'If-Match: "a"\r\n',
  ],
  ...[
    'x-amz-meta-a: b\r\n',
    'x-amz-checksum-crc32: AAAAAA==\r\n',
    'Content-MD5: AAAA\r\n',
    'x-amz-trailer: x-amz-checksum-crc32\r\n',
  ],
]
const form = 'Action=GetCallerIdentity&Version=2011-06-15'

const s3Edge: Target = {
  name: 's3-edge',
  slow: true,
  seeds: [
    heads(
      `PUT /${bucket}/key HTTP/1.1\nHost: a\nContent-Length: 5\n\nhelloGET /${bucket}/key HTTP/1.1\nHost: a\nConnection: close\n\n`,
    ),
    heads(
      `GET /${bucket}?list-type=2&prefix=k HTTP/1.1\nHost: a\n\nHEAD /${bucket}/key HTTP/1.1\nHost: ${bucket}.${hostname}\n\n`,
    ),
    heads(
      `POST /${bucket}?delete HTTP/1.1\nHost: a\nContent-Length: 55\n\n<Delete><Object><Key>none</Key></Object></Delete>      `,
    ),
    heads(`PUT /${bucket}/long HTTP/1.1\nHost: a\nContent-Length: 100000\nExpect: 100-continue\n\n`) + 'x'.repeat(9000),
    heads(
      `PUT /${bucket}/k HTTP/1.1\nHost: a\nx-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\nx-amz-decoded-content-length: 5\nContent-Length: 15\n\n5\nhello\n0\n\n`,
    ),
    heads(`PUT /${bucket}/k HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n5\nhello\n0\n\n`),
    heads(
      `POST / HTTP/1.1\nHost: a\nContent-Type: application/x-www-form-urlencoded\nContent-Length: ${form.length}\n\n${form}`,
    ),
    heads(`GET /${bucket}/key HTTP/1.1\nHost: a\nRange: bytes=1-3\n\n`).repeat(5),
    heads(
      `POST /${bucket}/key?uploads HTTP/1.1\nHost: a\nContent-Length: 0\n\nPUT /${bucket}/copy HTTP/1.1\nHost: a\nx-amz-copy-source: /${bucket}/key\nContent-Length: 0\n\n`,
    ),
  ],
  words: s3Words,
  async run(input) {
    const house = await fuzzHouse.get()
    await converse(house.ports.s3, input)
    house.checkLog()
  },
  close: fuzzHouse.close,
}

/** A request whose body is as long as its head says. */
const withBody = (line: string, fields: string, body: string) =>
  heads(`${line} HTTP/1.1\nHost: a\n${fields}Content-Length: ${body.length}\n\n`) + body
const authorized = `Authorization: Bearer ${token}\n`
const person = (name: string) => JSON.stringify({ name, roles: ['clerk'] })
const apiEdge: Target = {
  name: 'api-edge',
  slow: true,
  seeds: [
    heads(
      `GET /v1/buckets HTTP/1.1\nHost: a\n${authorized}\nGET /v1/health HTTP/1.1\nHost: a\n${authorized}Connection: close\n\n`,
    ),
    withBody('POST /v1/people', authorized, person('a')) + withBody('POST /v1/people', authorized, person('b')),
    heads(`POST /v1/people HTTP/1.1\nHost: a\n${authorized}Transfer-Encoding: chunked\n\n1e\n${person('c')}\n0\n\n`),
    withBody('POST /v1/buckets', `${authorized}Idempotency-Key: "0123456789abcdef"\n`, '{"name":"bbb"}'),
    withBody(`PUT /v1/buckets/${bucket}/etags`, `${authorized}If-Match: "1"\n`, '{"etags":"md5"}'),
    heads(`GET /v1/jobs/events HTTP/1.1\nHost: a\n${authorized}Last-Event-ID: x\nConnection: close\n\n`),
    withBody('POST /v1/sign-in/passkey', 'Cookie: __Host-pelago=x\nOrigin: https://acme.example\nx-pelago: 1\n', '{}'),
    heads(`POST /v1/people HTTP/1.1\nHost: a\n${authorized}Content-Length: 90000\nExpect: 100-continue\n\n`) +
      '['.repeat(5000),
  ],
  words: [
    ...[
      'GET ',
      'POST ',
      'PUT ',
      ' HTTP/1.1\r\n',
      '\r\n\r\n',
      'Content-Length: 2\r\n',
      'Transfer-Encoding: chunked\r\n',
    ],
    ...[
      '2\r\n{}\r\n0\r\n\r\n',
      'If-None-Match: *\r\n',
      'Cookie: pelago-session=a\r\n',
      'X-Forwarded-For: 1.2.3.4\r\n',
      '?limit=1',
    ],
  ],
  async run(input) {
    const house = await fuzzHouse.get()
    await converse(house.ports.api, input)
    house.checkLog()
  },
  close: fuzzHouse.close,
}

/** Reads an answer to its end, and looks whether it is one. */
async function looked(response: S3Response, method: string): Promise<Buffer> {
  const { status, headers, body } = response
  assert.ok(Number.isInteger(status) && status >= 200 && status < 600, `status ${status}`)
  for (const [name, value] of Object.entries(headers))
    assert.ok(/^[!-9;-~]+$/.test(name) && !/[\r\n\0]/.test(value), `the header ${name}: ${JSON.stringify(value)}`)
  const bytes = body instanceof Uint8Array ? Buffer.from(body) : Buffer.concat(body ? await Array.fromAsync(body) : [])
  response.done?.()
  if (headers['content-type'] === 'application/xml' && bytes.length > 0 && method !== 'GET' && status >= 400)
    assert.equal(XMLValidator.validate(bytes.toString()), true, bytes.toString().slice(0, 300))
  return bytes
}

type Given = { method: string; target: string; headers: Record<string, string>; body: Buffer }

/** Signs what is given as it is: only what is not signed can be wrong then. */
function signedRequest(given: Given, key: { id: string; secret: string }, payload: string): S3Request {
  const at = Date.now()
  const headers: Record<string, string> = {
    ...given.headers,
    ...{ host: hostname, 'x-amz-date': timeOf(at), 'x-amz-content-sha256': payload },
  }
  const { path, query } = addressOf(given.target, hostname, [hostname])
  // As the server reads the path, so that the two agree whatever it is.
  const written = path.split('/').map((part) => encodeURIComponent(part).replaceAll(/[!'()*]/g, escaped))
  const signing = { method: given.method, path: written.join('/'), query, headers, payload, at }
  headers.authorization = authorizationOf(signing, { ...key, region, service: 's3' })
  const { body } = given
  async function* pieces() {
    for (let at = 0; at < body.length; at += 1000) yield body.subarray(at, at + 1000)
  }
  return {
    ...{ method: given.method, target: given.target, headers, body: { [Symbol.asyncIterator]: pieces } },
    ...(body.length % 2 === 0 && { whole: async () => body }),
    ...{ signal: new AbortController().signal, from: '127.0.0.1' },
  }
}
const escaped = (sign: string) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`

const s3Signed: Target = {
  name: 's3-signed',
  slow: true,
  seeds: [
    `PUT /${bucket}/key\ncontent-type: text/plain\nx-amz-meta-a: b\n\nhello`,
    `GET /${bucket}/key?partNumber=1&response-content-type=a%2Fb\nrange: bytes=0-3\n\n`,
    `GET /${bucket}?list-type=2&max-keys=3&delimiter=%2F&continuation-token=a2V5&encoding-type=url\n\n`,
    `GET /?max-buckets=1&continuation-token=YnVja2V0&prefix=b&bucket-region=eu-1\n\n`,
    `GET /${bucket}?uploads&key-marker=k&upload-id-marker=u&max-uploads=2\n\n`,
    `GET /${bucket}/key?uploadId=none&part-number-marker=2&max-parts=5\n\n`,
    `PUT /${bucket}/part?uploadId=none&partNumber=3\n\npart`,
    `POST /${bucket}/key?uploadId=none\n\n<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"x"</ETag></Part></CompleteMultipartUpload>`,
    `POST /${bucket}?delete\n\n<Delete><Quiet>true</Quiet><Object><Key>a</Key><ETag>"e"</ETag></Object></Delete>`,
    `PUT /${bucket}/copy\nx-amz-copy-source: /${bucket}/key?versionId=null\nx-amz-copy-source-if-match: "a"\nx-amz-metadata-directive: REPLACE\n\n`,
    `PUT /${bucket}?policy\n\n{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::bucket/*"}]}`,
    `PUT /new-bucket\n\n<CreateBucketConfiguration><LocationConstraint>eu-1</LocationConstraint></CreateBucketConfiguration>`,
    `HEAD /${bucket}/key\nif-none-match: *\nif-modified-since: Wed, 21 Oct 2015 07:28:00 GMT\n\n`,
    `PUT /${bucket}/sum\nx-amz-sdk-checksum-algorithm: CRC32\nx-amz-checksum-crc32: NhCmhg==\nif-none-match: *\n\nhello`,
  ],
  words: [
    ...[
      'x-amz-acl: public-read\n',
      'x-amz-checksum-sha256: ',
      'x-amz-server-side-encryption: AES256\n',
      'content-md5: ',
    ],
    ...['x-amz-storage-class: ', 'x-amz-tagging: a=b\n', 'cache-control: ', 'x-amz-copy-source-range: bytes=0-1\n'],
    ...[
      '?acl',
      '?tagging',
      '?location',
      '?versioning',
      '?policyStatus',
      '&',
      '?versionId=',
      '%2F',
      '%00',
      '<Key>',
      '</Key>',
    ],
    ...['&response-content-disposition=%0d%0a', 'x-amz-meta-\xe4: \xff\n', '?marker=', '?x-id=PutObject'],
  ],
  async run(input) {
    const text = input.toString('latin1')
    const [head = '', ...rest] = text.split('\n\n')
    const [line = '', ...lines] = head.split('\n')
    const [method = '', target = ''] = line.split(' ')
    if (!/^[A-Z]{1,10}$/.test(method) || !/^\/[!-~\x80-\xff]*$/.test(target)) return
    const headers: Record<string, string> = {}
    for (const one of lines) {
      const [, name = '', value = ''] = /^([a-z0-9-]{1,60}):[ \t]*([ -~\x80-\xff]*?)[ \t]*$/.exec(one) ?? []
      if (name !== '' && !['host', 'authorization', 'content-length'].includes(name)) headers[name] = value
    }
    const body = Buffer.from(rest.join('\n\n'), 'latin1')
    if (method !== 'GET' && method !== 'HEAD') headers['content-length'] = String(body.length)
    const house = await fuzzHouse.get()
    let request: S3Request
    try {
      const payload = createHash('sha256').update(body).digest('hex')
      request = signedRequest({ method, target, headers, body }, house.key, payload)
    } catch (error) {
      return error instanceof URIError ? undefined : mustBeOurs(error)
    }
    const response = await house.s3(request)
    assert.notEqual(response.headers['x-amz-request-id'], undefined)
    await looked(response, method)
    house.checkLog()
  },
  close: fuzzHouse.close,
}

type Edit = { at: number; drop: number; put: string }
const numberIn = (value: unknown, most: number) =>
  typeof value === 'number' && Number.isFinite(value) ? Math.min(most, Math.max(0, Math.floor(value))) : 0

/** A stream of chunks that was signed as it should be, and bent afterwards. What is taken must be what was signed. */
const signedChunks: Target = {
  name: 'signed-chunks',
  slow: true,
  seeds: [
    { sizes: [5, 7], trailer: false, edits: [] },
    { sizes: [1000, 0, 3], trailer: true, edits: [{ at: 3, drop: 1, put: '0' }] },
    { sizes: [16, 16, 16], trailer: false, edits: [{ at: 100, drop: 40, put: '' }] },
    { sizes: [9], trailer: true, edits: [{ at: 90, drop: 0, put: '\r\n' }] },
    { sizes: [], trailer: true, edits: [] },
    { sizes: [2000], trailer: false, edits: [{ at: 2090, drop: 0, put: '0;chunk-signature=' }] },
  ].map((seed) => JSON.stringify(seed)),
  words: ['"at":', '"drop":', '"put":', '\\r\\n', ';chunk-signature=', '0\\r\\n\\r\\n', 'x-amz-trailer-signature:'],
  async run(input) {
    const value = json(input)?.value
    const list = (name: string): unknown[] => {
      const found = field(value, name)
      return Array.isArray(found) ? found.slice(0, 12) : []
    }
    const sizes = list('sizes')
      .map((size) => numberIn(size, 3000))
      .filter((size) => size > 0)
    const trailer = field(value, 'trailer') === true
    const edits = list('edits').map((edit): Edit => {
      const put = field(edit, 'put')
      const text = typeof put === 'string' ? put : ''
      return { at: numberIn(field(edit, 'at'), 50_000), drop: numberIn(field(edit, 'drop'), 5000), put: text }
    })
    const house = await fuzzHouse.get()
    const plain = Buffer.concat(sizes.map((size, at) => Buffer.alloc(size, 65 + at)))
    const headers: Record<string, string> = {
      'content-length': '1',
      'x-amz-decoded-content-length': String(plain.length),
      ...(trailer && { 'x-amz-trailer': 'x-amz-checksum-sha256' }),
    }
    const word = `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${trailer ? '-TRAILER' : ''}`
    const given = { method: 'PUT', target: `/${bucket}/chunks`, headers, body: Buffer.alloc(0) }
    const { headers: signed } = signedRequest(given, house.key, word)
    const asked = { method: 'PUT', path: given.target, query: [], headers: signed }
    const verified = await verifyRequest(house.access.standing, asked, Date.now())
    let previous = verified.signature
    const chunk = (bytes: Buffer) => {
      previous = chunkSignature(verified, previous, createHash('sha256').update(bytes).digest('hex'))
      return Buffer.from(`${bytes.length.toString(16)};chunk-signature=${previous}\r\n`)
    }
    const framed: Buffer[] = []
    let from = 0
    for (const size of sizes) {
      const bytes = plain.subarray(from, (from += size))
      framed.push(chunk(bytes), bytes, Buffer.from('\r\n'))
    }
    framed.push(chunk(Buffer.alloc(0)))
    if (trailer) {
      const sum = createHash('sha256').update(plain).digest('base64')
      const signature = trailerSignature(verified, previous, `x-amz-checksum-sha256:${sum}\n`)
      framed.push(Buffer.from(`x-amz-checksum-sha256:${sum}\r\nx-amz-trailer-signature:${signature}\r\n`))
    }
    framed.push(Buffer.from('\r\n'))
    const right = Buffer.concat(framed)
    const sent = edits.reduce(
      (bytes, { at, drop, put }) =>
        Buffer.concat([bytes.subarray(0, at), Buffer.from(put, 'latin1'), bytes.subarray(at + drop)]),
      right,
    )
    async function* pieces() {
      for (let at = 0; at < sent.length; at += 777) yield sent.subarray(at, at + 777)
    }
    for (const whole of [undefined, async () => sent]) {
      const body = { [Symbol.asyncIterator]: pieces }
      const request = { ...asked, target: given.target, body, signal: new AbortController().signal }
      const response = await house.s3({ ...request, ...(whole && { whole }) })
      await looked(response, 'PUT')
      house.checkLog()
      if (sent.equals(right)) assert.equal(response.status, 200, 'what was signed rightly is refused')
      if (response.status !== 200) continue
      const found = await house.s3(signedRequest({ ...given, method: 'GET', headers: {} }, house.key, emptyHash))
      assert.deepEqual(await looked(found, 'GET'), plain, 'what is stored was not signed')
    }
  },
  close: fuzzHouse.close,
}
const emptyHash = createHash('sha256').digest('hex')

const all: Operation<unknown, unknown>[] = Object.values(operations)

/** Bodies in JSON, down to what answers them. */
const apiOperations: Target = {
  name: 'api-operations',
  seeds: [
    'POST /v1/buckets {"name":"abc","etags":"md5","policy":{"survive":{"providers":1,"countries":0}}}',
    'PUT /v1/buckets/bucket/policy {"policy":{"jurisdictions":["EU"],"greatestShare":0.5}}',
    'PUT /v1/buckets/bucket/access {"document":"{\\"Version\\":\\"2012-10-17\\",\\"Statement\\":[]}"}',
    'GET /v1/buckets?prefix=b&after=a&limit=1',
    'GET /v1/buckets/bucket/where?key=key',
    'POST /v1/people {"name":"eve","roles":["machine"],"email":"a@b.example"}',
    'PUT /v1/people/eve {"roles":["clerk"],"state":"disabled"}',
    'POST /v1/keys {"person":"eve","note":"n"}',
    'PUT /v1/access-policies/person/eve/main {"document":"{\\"Statement\\":{\\"Effect\\":\\"Deny\\",\\"Action\\":\\"s3:*\\",\\"Resource\\":\\"*\\"}}"}',
    'POST /v1/sts-roles {"name":"r","trust":"{\\"Statement\\":{\\"Effect\\":\\"Allow\\",\\"Principal\\":{\\"AWS\\":\\"acme\\"},\\"Action\\":\\"sts:AssumeRole\\"}}","longestSeconds":900}',
    'PUT /v1/web-issuers/https%3A%2F%2Fci.example {"audiences":["x"],"keysUrl":"https://ci.example/k"}',
    'GET /v1/jobs?limit=10&after=abc',
    'POST /v1/jobs/abc/cancel {}',
    'GET /v1/log?after=1&limit=2&topic=bucket.created&name=bucket',
    'GET /v1/log/proofs/1?earlier=1',
    'POST /v1/enrolments {"kind":"admin","code":"AAAA-AAAA-AAAA","name":"zoe","displayName":"Z"}',
    'POST /v1/sign-in/passkey/finish {"ceremony":"aaaaaaaaaaaaaaaaaaaaaaaa","answer":{"id":"AA","clientData":"AA","authenticatorData":"AA","signature":"AA"}}',
    'POST /v1/recoveries {"person":"ada"}',
    'PUT /v1/recovery-plan {"needed":2,"helpers":["ada","eve","bob"]}',
    'POST /v1/logins {"label":"x"}',
    'POST /v1/logins/AAAA-AAAA/approve {}',
    'GET /v1/notices?below=5&limit=2',
  ],
  words: all
    .filter(({ server }) => server === 'gateway' || server === 'every')
    .map(({ method, path }) => `${method} ${path}`),
  async run(input) {
    const [method = '', target = '', ...rest] = input.toString().split(' ')
    if (!target.startsWith('/')) return
    let url: URL
    try {
      url = new URL(target, 'http://api')
    } catch {
      return
    }
    const { handlers } = await fuzzHouse.get()
    const found = matchOperation(
      handlers.map(({ operation }) => operation),
      method,
      url.pathname,
    )
    const handler = handlers.find(({ operation }) => operation === found?.operation)
    if (!found || !handler || !('answer' in handler)) return
    const call: ApiCall = {
      ...{ actor: 'ada', tenant: 'acme', trace: 't', signal: new AbortController().signal, house: true },
      principal: { tenant: 'acme', actor: 'ada', roles: ['owner'], kind: 'session', session: 'a-session-of-nobody' },
      ...{ expected: undefined, address: '127.0.0.1', headers: { origin: 'https://acme.example', 'x-pelago': '1' } },
      ...{ method, target, body: Buffer.from(rest.join(' ')), setCookie: () => {} },
    }
    try {
      const asked = inputOf(found.operation, found.fields, url.searchParams, rest.join(' '))
      checkOutput(found.operation, await handler.answer(call, asked))
    } catch (error) {
      mustBeOurs(error)
    }
  },
  close: fuzzHouse.close,
}

const stsForm: Target = {
  name: 'sts-form',
  slow: true,
  seeds: [
    'Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3Aacme%3Arole%2Fjob&RoleSessionName=run&DurationSeconds=900',
    'Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::acme:role/job&RoleSessionName=run&Policy=%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22s3%3A*%22%2C%22Resource%22%3A%22*%22%7D%7D',
    'Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn:aws:iam::acme:role/job&RoleSessionName=run&WebIdentityToken=eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2NpLmV4YW1wbGUifQ.AA',
    'Action=GetCallerIdentity&Version=2011-06-15',
  ],
  words: [
    '&Action=',
    '&Policy=',
    '&DurationSeconds=',
    '&ExternalId=',
    '&Tags.member.1.Key=',
    '%',
    'arn:aws:iam::',
    '&Version=',
  ],
  async run(input) {
    const house = await fuzzHouse.get()
    const at = Date.now()
    const payload = createHash('sha256').update(input).digest('hex')
    const headers: Record<string, string> = {
      ...{
        host: hostname,
        'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        'x-amz-date': timeOf(at),
      },
    }
    const signing = { method: 'POST', path: '/', query: [], headers, payload, at }
    headers.authorization = authorizationOf(signing, { ...house.key, service: 'sts' })
    async function* pieces() {
      yield input
    }
    const request = { method: 'POST', target: '/', headers, signal: new AbortController().signal }
    const response = await house.s3({ ...request, body: { [Symbol.asyncIterator]: pieces } })
    const answer = (await looked(response, 'POST')).toString()
    assert.equal(XMLValidator.validate(answer), true, answer.slice(0, 300))
    house.checkLog()
  },
  close: fuzzHouse.close,
}

export const edgeTargets: Target[] = [s3Edge, apiEdge, s3Signed, signedChunks, apiOperations, stsForm]
