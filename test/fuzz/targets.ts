import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { listedKeys } from '#access'
import { faultOf, inputOf, matchOperation, type Operation, operations } from '#api'
import { canonicalJson, type Json } from '#kernel'
import { demoPool, parsePolicy, signDirectory, verifyDirectory } from '#pool'
import { type PolicyKind, readAccessPolicy } from '../../src/access/policy/read-policy.ts'
import { verifyRequest } from '../../src/access/signature.ts'
import { makeKit, openKit } from '../../src/host/keys/kit-file.ts'
import { freshRoot } from '../../src/host/keys/root-file.ts'
import { gatewayConfig, providerConfig, federationConfig, accessConfig } from '../../src/host/run/configuration.ts'
import { parseRequestHead } from '../../src/host/http/http-head.ts'
import { namesOf, refusal, statusOf } from '../../src/host/shards/shard-replies.ts'
import { addressOf } from '../../src/s3/address.ts'
import { decodeWhole } from '../../src/s3/aws-chunked.ts'
import { checkRead, rangeOf, writeCondition } from '../../src/s3/conditions.ts'
import { routeOf } from '../../src/s3/route.ts'
import { elementsOf, readXml, textOf, writeXml } from '../../src/s3/xml.ts'
import { segmentShape } from '../../src/storage/seal/shape.ts'
import { layoutPack } from '../../src/storage/pack/layout.ts'
import { refusalOf } from '../../src/storage/shard-auth.ts'
import { heads, json, mustBeOurs, refused, type Target } from './target.ts'
import { byteTargets } from './targets/bytes.ts'
import { edgeTargets } from './targets/edges.ts'
import { signInTargets } from './targets/sign-in.ts'

/** Headers as an HTTP front hands them over: only what a head can carry. */
function headersOf(input: Buffer): Record<string, string> | undefined {
  const read = parseRequestHead(
    Buffer.concat([Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n'), input, Buffer.from('\r\n\r\n')]),
    65_536,
  )
  return read && 'head' in read ? { ...read.head.headers } : undefined
}

const { privateKey } = generateKeyPairSync('ed25519')
const publicKey = createPublicKey(createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })))
const directory = {
  ...{ version: 3, issuedAt: 1, expiresAt: 2_000_000_000_000 },
  providers: demoPool.slice(0, 2).map((facts) => ({
    ...facts,
    ...{ endpoint: 'http://127.0.0.1:1', publicKey: '0'.repeat(64), capacityBytes: 1 },
  })),
}
const policy = {
  jurisdictions: ['DE', 'FR'],
  ownersRefused: ['US'],
  attestations: ['ISO27001'],
  survive: { providers: 2, countries: 0 },
}
const accessPolicy = {
  Version: '2012-10-17',
  Statement: [
    {
      ...{ Sid: 'One', Effect: 'Allow', Principal: { AWS: ['*'] }, Action: ['s3:GetObject', 's3:List*'] },
      ...{ Resource: 'arn:aws:s3:::bucket/*', Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } },
    },
  ],
}
const rootKey = freshRoot(1)
const kit = makeKit({
  ...{ version: 1, madeAt: 1, gateway: 'g', root: rootKey.id, proof: '00' },
  rootKeys: [{ ...rootKey, key: Buffer.from(rootKey.key).toString('hex') }],
  federation: { url: 'https://f.example', publicKey: '0'.repeat(64) },
  ...{ files: [], epochs: [] },
}).texts
const configs = { gatewayConfig, providerConfig, federationConfig, accessConfig }

const parsers: Target[] = [
  {
    name: 'recovery-kit',
    seeds: kit,
    words: ['PELAGO', '--- share ---', '--- end of the share ---', '--- sealed ---', 'Check ', '0O1IL-', 'U', '#'],
    run(input) {
      const whole = { file: 'whole', text: kit[2] as string }
      const given = { file: 'given', text: input.toString() }
      let root: string
      try {
        root = openKit([whole, given]).content.root
      } catch (error) {
        mustBeOurs(error)
        return
      }
      // What opens gives back what was put in, whatever was typed.
      assert.equal(root, rootKey.id)
    },
  },
  {
    name: 'http-head',
    seeds: [
      heads('GET /a HTTP/1.1\nHost: a\n\n'),
      heads(
        'PUT /b/k?x=1 HTTP/1.1\nHost: b.s3.example\nContent-Length: 12\nExpect: 100-continue\nConnection: close\nX-Amz-Date: x\n\nbody',
      ),
    ],
    words: [
      'GET',
      'HTTP/1.1',
      'HTTP/2.0',
      'Content-Length: 1',
      'Transfer-Encoding: chunked',
      '\r\n\r\n',
      '\r\n ',
      'Host:',
      '\x80',
    ],
    run(input) {
      const read = parseRequestHead(input, 8192)
      if (!read) return
      if ('refused' in read) return assert.ok([400, 431, 501, 505].includes(read.refused))
      const { head, length } = read
      assert.ok(length <= input.length && Number.isSafeInteger(head.bodyLength) && head.bodyLength >= 0)
      // Written again it is read as the same: nothing that was read can be understood in two ways.
      const lines = Object.entries(head.headers).map(([name, value]) => `${name}: ${value}\r\n`)
      const again = parseRequestHead(
        Buffer.from(`${head.method} ${head.target} HTTP/1.${head.keep ? 1 : 0}\r\n${lines.join('')}\r\n`, 'latin1'),
        65_536,
        10_000,
      )
      assert.ok(again && 'head' in again, 'what was read cannot be read again')
      // The last of several may be empty: the blank before it goes.
      const trimmed = Object.entries(head.headers).map(([name, value]) => [name, value.replace(/[ \t]+$/, '')])
      assert.deepEqual(Object.entries(again.head.headers), trimmed)
      assert.equal(again.head.bodyLength, head.bodyLength)
    },
  },
  {
    name: 'aws-chunked',
    seeds: [
      heads('5\nhello\n0\n\n'),
      heads('5\nhello\n6\n world\n0\nx-amz-checksum-crc32:AAAAAA==\n\n'),
      heads(`3;chunk-signature=${'a'.repeat(64)}\nabc\n0;chunk-signature=${'b'.repeat(64)}\n\n`),
    ],
    words: ['\r\n', '0\r\n', ';chunk-signature=', 'ffffffff', 'FFFFFFFFFFFFFFFF', 'x-amz-trailer-signature:', ':'],
    run(input) {
      for (const trailers of [true, false]) {
        let told = 0
        let bytes: Uint8Array
        try {
          bytes = decodeWhole(input, { trailers }, () => told++)
        } catch (error) {
          mustBeOurs(error)
          continue
        }
        assert.ok(bytes.length <= input.length)
        assert.ok(told <= 1, 'trailers were told more than once')
        const framed = Buffer.concat([
          ...(bytes.length > 0 ? [Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')] : []),
          Buffer.from('0\r\n\r\n'),
        ])
        assert.deepEqual(Buffer.from(decodeWhole(framed, { trailers: false }, () => undefined)), Buffer.from(bytes))
      }
    },
  },
  {
    name: 'signature-headers',
    seeds: [
      heads(
        `authorization: AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}\nx-amz-date: 20260101T000000Z\nx-amz-content-sha256: UNSIGNED-PAYLOAD`,
      ),
    ],
    words: [
      'Credential=',
      'SignedHeaders=',
      'Signature=',
      'AWS4-HMAC-SHA256',
      'AWS ',
      '/',
      ';',
      ',',
      '20260101T000000Z',
    ],
    run: async (input) => {
      const headers = headersOf(input)
      if (headers)
        await refused(
          verifyRequest(keys, { method: 'GET', path: '/', query: [], headers }, Date.UTC(2026, 0, 1)),
          unsigned,
        )
    },
  },
  {
    name: 'presigned-query',
    seeds: [
      `/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20260101%2Feu-1%2Fs3%2Faws4_request&X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=${'0'.repeat(64)}`,
      '/bucket/key?versionId=null&partNumber=3',
      '/?list-type=2&prefix=a%2Fb&delimiter=%2F',
    ],
    words: ['X-Amz-Signature=', '&X-Amz-Expires=', 'uploads', 'uploadId=', '?', '&', '=', '%2F', '+', 'http://a/'],
    run: async (input) => {
      const target = input.toString('latin1').replaceAll(/[^!-~\x80-\xff]/g, '')
      for (const host of ['s3.example', 'bucket.s3.example', target.slice(0, 40)]) {
        let address: ReturnType<typeof addressOf>
        try {
          address = addressOf(`/${target}`, host, ['s3.example'])
          routeOf({ method: 'GET', headers: {} } as never, address)
        } catch (error) {
          mustBeOurs(error)
          continue
        }
        const { path, query } = address
        await refused(
          verifyRequest(keys, { method: 'GET', path, query, headers: { host } }, Date.UTC(2026, 0, 1)),
          unsigned,
        )
      }
    },
  },
  {
    name: 's3-xml',
    seeds: [
      '<Delete><Quiet>true</Quiet><Object><Key>a &amp; b</Key></Object><Object><Key>&#x41;</Key></Object></Delete>',
      '<?xml version="1.0"?><CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Part><PartNumber>1</PartNumber><ETag>"x"</ETag></Part></CompleteMultipartUpload>',
      '<CreateBucketConfiguration><LocationConstraint>eu-1</LocationConstraint></CreateBucketConfiguration>',
    ],
    words: [
      '<!DOCTYPE a [<!ENTITY b "c">]>',
      '&b;',
      '<![CDATA[',
      ']]>',
      '<!--',
      '-->',
      '<Object>',
      '</Object>',
      '<a:b>',
      '&#0;',
      '&#x110000;',
      '<__proto__>',
    ],
    run(input) {
      const text = input.toString()
      for (const root of ['Delete', 'CompleteMultipartUpload', 'CreateBucketConfiguration']) {
        try {
          const element = readXml(text, root)
          for (const name of ['Object', 'Part']) {
            for (const child of elementsOf(element, name)) {
              const key = textOf(child, 'Key')
              if (key === undefined || /[\p{Cc}\ufffe\uffff\ud800-\udfff]/u.test(key)) continue
              const written = readXml(Buffer.from(writeXml('Delete', { Object: { Key: key } })).toString(), 'Delete')
              assert.equal(textOf(elementsOf(written, 'Object')[0] ?? {}, 'Key'), key)
            }
          }
        } catch (error) {
          mustBeOurs(error)
        }
      }
    },
  },
  {
    name: 'ranges-and-conditions',
    seeds: ['bytes=0-9', 'bytes=-5', 'bytes=7-', '"etag"', 'W/"etag", *', 'Wed, 21 Oct 2015 07:28:00 GMT'],
    words: ['bytes=', '-', ',', '*', 'W/', '"', 'GMT', '2015'],
    run(input) {
      const text = input.toString('latin1')
      for (const size of [0, 1, 10, 2 ** 40]) {
        try {
          const range = rangeOf(text, size)
          if (range)
            assert.ok(
              range.first >= 0 && range.first <= range.last && range.last < size,
              `${JSON.stringify(range)} of ${size}`,
            )
        } catch (error) {
          mustBeOurs(error)
        }
      }
      const info = { key: 'k', version: 'v', size: 1, etag: 'etag', modifiedAt: 1_445_412_480_000, headers: {} }
      for (const name of ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since']) {
        for (const act of [() => checkRead(info, { [name]: text }), () => writeCondition({ [name]: text })]) {
          try {
            act()
          } catch (error) {
            mustBeOurs(error)
          }
        }
      }
    },
  },
  {
    name: 'pool-policy',
    seeds: [JSON.stringify(policy), '{}'],
    words: ['"jurisdictions"', '"survive"', '"greatestShare"', '"whenShort"'],
    run(input) {
      const read = json(input)
      if (!read) return
      try {
        const parsed = parsePolicy(read.value)
        assert.equal(JSON.stringify(parsePolicy(JSON.parse(JSON.stringify(parsed)))), JSON.stringify(parsed))
      } catch (error) {
        mustBeOurs(error)
      }
    },
  },
  {
    name: 'access-policy',
    seeds: [JSON.stringify(accessPolicy), JSON.stringify({ Version: '2012-10-17', Statement: [] })],
    words: [
      '"Statement"',
      '"NotAction"',
      '"Condition"',
      '"StringLike"',
      '${aws:username}',
      '"Effect":"Deny"',
      'arn:aws:s3:::',
    ],
    run(input) {
      const kinds: PolicyKind[] = [
        { on: 'identity' },
        { on: 'session' },
        { on: 'bucket', bucket: 'bucket' },
        { on: 'trust' },
      ]
      for (const kind of kinds) {
        try {
          const read = readAccessPolicy(input.toString(), kind)
          assert.equal(readAccessPolicy(read.text, kind).text, read.text)
        } catch (error) {
          mustBeOurs(error)
        }
      }
    },
  },
  {
    name: 'api-input',
    seeds: [
      'POST /v1/buckets {"name":"abc","etags":"md5"}',
      'GET /v1/buckets/abc/where?key=x',
      'PUT /v1/buckets/abc/policy {"policy":{}}',
      'GET /v1/jobs?limit=10&after=abc',
      'POST /v1/jobs/abc/cancel',
    ],
    words: Object.values(operations as Record<string, Operation<unknown, unknown>>).map(
      ({ method, path }) => `${method} ${path}`,
    ),
    run(input) {
      const [method = '', target = '', ...rest] = input.toString().split(' ')
      let url: URL
      try {
        url = new URL(target, 'http://api')
      } catch {
        return
      }
      const all = Object.values(operations as Record<string, Operation<unknown, unknown>>)
      const found = matchOperation(all, method, url.pathname)
      if (!found) return
      try {
        const value = inputOf(found.operation, found.fields, url.searchParams, rest.join(' '))
        assert.equal(faultOf(found.operation.input, value), undefined)
      } catch (error) {
        mustBeOurs(error)
      }
    },
  },
  {
    name: 'directory',
    seeds: [JSON.stringify(signDirectory(directory, privateKey)), JSON.stringify(directory)],
    words: ['"providers"', '"signature"', '"publicKey"'],
    run(input) {
      const read = json(input)
      if (!read) return
      // As it came, and as if the federation itself had signed it: a member may have said anything.
      const values: unknown[] = [read.value]
      try {
        const said = Buffer.from(canonicalJson(read.value as Json))
        values.push({ directory: read.value, signature: sign(null, said, privateKey).toString('base64') })
        values.push(signDirectory(read.value as never, privateKey))
      } catch {
        // What cannot be signed cannot come signed.
      }
      for (const value of values) {
        try {
          const verified = verifyDirectory(value, publicKey, 1)
          assert.ok(verified.providers.every(({ id }) => typeof id === 'string'))
        } catch (error) {
          mustBeOurs(error)
        }
      }
    },
  },
  {
    name: 'shard-replies',
    seeds: [
      JSON.stringify({ usedBytes: 1, quotaBytes: 2, shards: 3, trashedShards: 4, syncs: 5 }),
      JSON.stringify(['0'.repeat(32), '1'.repeat(32)]),
      JSON.stringify({ code: 'shard.full', message: 'no room' }),
    ],
    words: ['"code"', 'shard.exists', 'shard.missing', '"usedBytes"'],
    run(input) {
      const read = json(input)
      const acts: (() => unknown)[] = [400, 404, 409, 500, 507].flatMap((status) => [
        () => assert.match(refusal('p', status, input.toString()).code, /^shard\./),
        () => assert.match(refusal('p', status, input.toString(), true).code, /^shard\./),
      ])
      if (read)
        acts.push(
          () => statusOf('p', read.value),
          () => namesOf('p', read.value, ''),
        )
      for (const act of acts) {
        try {
          act()
        } catch (error) {
          mustBeOurs(error)
        }
      }
    },
  },
  {
    name: 'shard-signature',
    seeds: ['PUT /shards/x 10 1767225600000 00 gw 00'],
    words: ['Infinity', '-1', '0'.repeat(64)],
    run(input) {
      const [method = '', target = '', length = '', expires = '', nonce = '', gateway = '', signature = ''] = input
        .toString()
        .split(' ')
      const request = { method, target, length: Number(length), expires: Number(expires), nonce, gateway }
      const why = refusalOf(Buffer.alloc(32, 1), request, signature, Date.UTC(2026, 0, 1))
      assert.equal(typeof why, 'string', 'a request that nobody signed was taken')
    },
  },
  {
    name: 'layouts',
    seeds: ['100000 4 2 10 20 3000', '1 1 1 1'],
    words: ['131072', '1048576', '33554432', '255'],
    run(input) {
      const numbers = input.toString().split(/\D+/).map(Number).filter(Number.isSafeInteger)
      const [size = 0, k = 1, m = 1, ...lengths] = numbers
      if (k < 1 || k > 64 || m < 0 || m > 32 || size < 1 || size > 2 ** 25) return
      const shape = segmentShape(size, k, m)
      assert.ok(shape.rows >= 1 && shape.rows < 10_000)
      const objects = lengths.filter((length) => length > 0 && length < 2 ** 20).slice(0, 200)
      if (objects.length === 0) return
      const { places } = layoutPack(objects, k, m, 1)
      assert.equal(places.length, objects.length)
    },
  },
  {
    name: 'configuration',
    seeds: ['{"role":"gateway","id":"g"}', JSON.stringify({ keys: [{ id: 'AKID', secret: 's', tenant: 't' }] })],
    words: ['"role"', '"s3"', '"port"', '"api"', '"keys"'],
    run(input) {
      const read = json(input)
      if (!read) return
      for (const schema of Object.values(configs)) {
        const fault = faultOf(schema, read.value)
        if (fault) assert.ok(fault.path.length < 10_000 && fault.fault.length > 0)
      }
    },
  },
]

const keys = listedKeys([{ id: 'AKID', secret: 'secret', tenant: 'acme', actor: 'somebody' }])

const unsigned = 'a signature that nobody made was taken'

/** Everything that meets the wire. */
export const targets: Target[] = [...parsers, ...byteTargets, ...signInTargets, ...edgeTargets]
