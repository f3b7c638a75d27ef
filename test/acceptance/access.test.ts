import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import * as aws from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { signRequest } from '../../src/client/sign-request.ts'
import { routes } from '../../src/s3/index.ts'
import { type Pelago, startPelago } from './start-pelago.ts'

/** Two gateways over one index, so that what one is told the other must find out. */
const words = process.platform === 'linux' ? ['--gateways', '2', '--separate-ports'] : []
/** Within this a revocation takes effect everywhere; docs/access.md says so. */
const boundMs = 1000

type Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string }

let pelago: Pelago
let root: aws.S3Client
const clients: aws.S3Client[] = []
const Bucket = 'papers'

const clientOf = (credentials: Credentials, endpoint = pelago.s3) => {
  const client = new aws.S3Client({
    endpoint,
    region: pelago.region,
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
  })
  clients.push(client)
  return client
}
const refused = (status: number, name: string) => (error: unknown) => {
  const { name: found, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } }
  assert.deepEqual([found, $metadata?.httpStatusCode], [name, status], String(error))
  return true
}
const denied = refused(403, 'AccessDenied')
const file = (document: unknown) => {
  const name = join(pelago.data, `document-${createHash('sha256').update(JSON.stringify(document)).digest('hex')}.json`)
  writeFileSync(name, JSON.stringify(document))
  return name
}
async function cli<T>(...line: string[]): Promise<T> {
  const { code, out, err } = await pelago.cli(...line, '--json')
  assert.equal(code, 0, `${line.join(' ')}: ${err}${out}`)
  return JSON.parse(out) as T
}
async function newKey(person: string, ...more: string[]): Promise<Credentials> {
  const { key, secret } = await cli<{ key: { id: string }; secret: string }>('key', 'create', person, ...more)
  return { accessKeyId: key.id, secretAccessKey: secret }
}
const policy = (...Statement: unknown[]) => ({ Version: '2012-10-17', Statement })
const put = (client: aws.S3Client, Key: string, Body = 'x', of = Bucket) =>
  client.send(new aws.PutObjectCommand({ Bucket: of, Key, Body }))
const get = async (client: aws.S3Client, Key: string, of = Bucket) =>
  (await client.send(new aws.GetObjectCommand({ Bucket: of, Key }))).Body?.transformToString()

before(async () => {
  pelago = await startPelago({ words })
  root = clientOf(pelago)
  await root.send(new aws.CreateBucketCommand({ Bucket }))
  await put(root, 'shared/a', 'shared')
  await put(root, 'secret/a', 'secret')
})
after(async () => {
  for (const client of clients) client.destroy()
  await pelago.close()
})

describe('people and policies', () => {
  test('who has no policy may do nothing; a policy, also of a group, says what; a prohibition wins', async () => {
    await cli('person', 'create', 'bo', '--role', 'machine')
    const bo = clientOf(await newKey('bo', '--note', 'of the test'))
    await assert.rejects(get(bo, 'shared/a'), denied)
    await assert.rejects(bo.send(new aws.ListBucketsCommand({})), denied)
    const reading = { Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` }
    const hidden = { Sid: 'Hidden', Effect: 'Deny', Action: '*', Resource: `arn:aws:s3:::${Bucket}/secret/*` }
    await cli('group', 'create', 'readers')
    await cli('group', 'policy', 'readers', '--set', file(policy(reading)))
    await cli('group', 'add', 'readers', 'bo')
    assert.equal(await get(bo, 'shared/a'), 'shared')
    assert.equal(await get(bo, 'secret/a'), 'secret')
    await cli('person', 'policy', 'bo', '--set', file(policy(hidden)))
    await assert.rejects(get(bo, 'secret/a'), (error) => {
      assert.match(String(error), /the statement "Hidden" of bo's policy main forbids s3:GetObject/)
      return denied(error)
    })
    await assert.rejects(put(bo, 'shared/b'), denied)
    await assert.rejects(get(bo, 'shared/none'), denied, 'what is missing is told only to who may list')
    const listing = { Effect: 'Allow', Action: 's3:ListBucket', Resource: `arn:aws:s3:::${Bucket}` }
    const narrowed = { ...listing, Condition: { StringLike: { 's3:prefix': 'shared/*' } } }
    await cli('person', 'policy', 'bo', '--name', 'list', '--set', file(policy(narrowed)))
    const list = (Prefix?: string) => bo.send(new aws.ListObjectsV2Command({ Bucket, Prefix }))
    assert.deepEqual(
      (await list('shared/')).Contents?.map(({ Key }) => Key),
      ['shared/a'],
    )
    await assert.rejects(list(), denied)
    await assert.rejects(list('secret/'), denied)
  })

  test('deleting many is decided for each; a copy needs both sides', async () => {
    const may = (Action: string, path: string) => ({
      Effect: 'Allow',
      Action,
      Resource: `arn:aws:s3:::${Bucket}/${path}`,
    })
    await cli('person', 'create', 'cy', '--role', 'machine')
    const cy = clientOf(await newKey('cy'))
    await cli(
      'person',
      'policy',
      'cy',
      '--set',
      file(policy(may('s3:DeleteObject', 'mine/*'), may('s3:PutObject', 'mine/*'))),
    )
    for (const key of ['mine/1', 'theirs/1']) await put(root, key)
    const { Deleted, Errors } = await cy.send(
      new aws.DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'mine/1' }, { Key: 'theirs/1' }] } }),
    )
    assert.deepEqual(
      Deleted?.map(({ Key }) => Key),
      ['mine/1'],
    )
    assert.deepEqual(
      Errors?.map(({ Key, Code }) => [Key, Code]),
      [['theirs/1', 'AccessDenied']],
    )
    assert.equal(await get(root, 'theirs/1'), 'x')
    const copy = (Key: string) => cy.send(new aws.CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/theirs/1` }))
    await assert.rejects(copy('mine/2'), denied)
    await cli('person', 'policy', 'cy', '--name', 'read', '--set', file(policy(may('s3:GetObject', 'theirs/*'))))
    await copy('mine/2')
    await assert.rejects(copy('theirs/2'), denied)
  })

  test('secrets are told once: neither lists, nor logs, nor the database have them', async () => {
    await cli('person', 'create', 'dan', '--role', 'auditor')
    const dan = await newKey('dan')
    const { out } = await pelago.cli('key', 'list', '--json')
    assert.ok(out.includes(dan.accessKeyId) && !out.includes(dan.secretAccessKey))
    const { readdirSync, readFileSync } = await import('node:fs')
    const files = readdirSync(pelago.data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    assert.ok(files.length > 20)
    for (const entry of files) {
      const found = readFileSync(join(entry.parentPath, entry.name)).includes(dan.secretAccessKey)
      assert.ok(!found, `${entry.name} holds the secret`)
    }
  })
})

describe('policies of buckets', () => {
  const everyone = {
    Effect: 'Allow',
    Principal: '*',
    Action: 's3:GetObject',
    Resource: `arn:aws:s3:::${Bucket}/shared/*`,
  }
  const set = (document: unknown) =>
    root.send(new aws.PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify(document) }))
  const plainly = async (path: string, init?: RequestInit) => {
    const answer = await fetch(`${pelago.s3}/${path}`, init)
    return { status: answer.status, text: await answer.text() }
  }
  after(() => root.send(new aws.DeleteBucketPolicyCommand({ Bucket })))

  test('they are kept as they came, and refused with the place where they cannot be read', async () => {
    await assert.rejects(root.send(new aws.GetBucketPolicyCommand({ Bucket })), refused(404, 'NoSuchBucketPolicy'))
    const document = policy({ ...everyone, Principal: { AWS: 'arn:aws:iam::demo:user/bo' } })
    await set(document)
    assert.equal((await root.send(new aws.GetBucketPolicyCommand({ Bucket }))).Policy, JSON.stringify(document))
    const status = await root.send(new aws.GetBucketPolicyStatusCommand({ Bucket }))
    assert.equal(status.PolicyStatus?.IsPublic, false)
    await assert.rejects(set(policy({ ...everyone, Effect: 'allow' })), (error) => {
      assert.match(String(error), /Statement\[0\].Effect cannot be read/)
      return refused(400, 'MalformedPolicy')(error)
    })
    const { code, out } = await pelago.cli('bucket', 'access', 'get', Bucket)
    assert.deepEqual([code, out.trim()], [0, JSON.stringify(document)])
  })

  test('the owner is never shut out of changing one', async () => {
    await set(
      policy({
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:*',
        Resource: [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`],
      }),
    )
    await assert.rejects(get(root, 'shared/a'), denied)
    await root.send(new aws.GetBucketPolicyCommand({ Bucket }))
    await root.send(new aws.DeleteBucketPolicyCommand({ Bucket }))
    assert.equal(await get(root, 'shared/a'), 'shared')
  })

  test('nobody gets in without a key until the tenant is open and a policy says so', async () => {
    assert.equal((await plainly(`${Bucket}/shared/a`)).status, 403)
    await assert.rejects(set(policy(everyone)), denied)
    const loud = await pelago.cli('tenant', 'set', 'demo', '--public', 'yes')
    assert.match(loud.out, /WARNING/)
    await set(policy(everyone))
    assert.deepEqual(await plainly(`${Bucket}/shared/a`), { status: 200, text: 'shared' })
    assert.equal((await plainly(`${Bucket}/secret/a`)).status, 403)
    assert.equal((await plainly(`${Bucket}/shared/b`, { method: 'PUT', body: 'x' })).status, 403)
    assert.equal((await plainly('')).status, 403)
    const status = await root.send(new aws.GetBucketPolicyStatusCommand({ Bucket }))
    assert.equal(status.PolicyStatus?.IsPublic, true)
    await cli('tenant', 'set', 'demo', '--public', 'no')
    assert.equal((await plainly(`${Bucket}/shared/a`)).status, 403)
  })

  test('a bucket that is made anew does not inherit the policy of the one before', async () => {
    const again = { Bucket: 'again' }
    await root.send(new aws.CreateBucketCommand(again))
    const shut = policy({ Effect: 'Deny', Principal: '*', Action: 's3:ListBucket', Resource: 'arn:aws:s3:::again' })
    await root.send(new aws.PutBucketPolicyCommand({ ...again, Policy: JSON.stringify(shut) }))
    await assert.rejects(root.send(new aws.ListObjectsV2Command(again)), denied)
    await root.send(new aws.DeleteBucketCommand(again))
    await root.send(new aws.CreateBucketCommand(again))
    await root.send(new aws.ListObjectsV2Command(again))
    await assert.rejects(root.send(new aws.GetBucketPolicyCommand(again)), refused(404, 'NoSuchBucketPolicy'))
  })
})

describe('two tenants', () => {
  let other: Credentials
  before(async () => {
    await cli('tenant', 'create', 'fjord')
    await cli('person', 'create', 'eve', '--role', 'owner', '--tenant', 'fjord')
    other = await newKey('eve', '--tenant', 'fjord')
  })

  /** Sends a request as the other tenant, and says what came without the names that were asked about. */
  async function answerTo(method: string, bucket: string, rest: string, headers: Record<string, string>, body: string) {
    const url = new URL(`${pelago.s3}/${bucket}${rest}`)
    const payload = createHash('sha256').update(body).digest('hex')
    const key = { id: other.accessKeyId, secret: other.secretAccessKey }
    const signed = signRequest({ method, url, headers }, key, pelago.region, payload, Date.now())
    const answer = await fetch(url, { method, headers: signed, ...(body !== '' && { body }) })
    const text = await answer.text()
    const plain = text
      .replaceAll(bucket, 'BUCKET')
      .replace(/<RequestId>\w+/g, '')
      .replace(/ETag>[^<]*/g, '')
    return { status: answer.status, text: plain }
  }
  const bodies: Record<string, string> = {
    'POST delete': '<Delete><Object><Key>shared/a</Key></Object></Delete>',
    'POST uploadId':
      '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"a"</ETag></Part></CompleteMultipartUpload>',
    'PUT policy': JSON.stringify(policy({ Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: '*' })),
  }
  const requestOf = (name: string) => {
    const [method = '', what, copy] = name.split(' ')
    const isCopy = what === 'copy' || copy === 'copy'
    const query =
      what === undefined || what === 'copy'
        ? ''
        : what === 'list-v2'
          ? '?list-type=2'
          : what === 'uploadId'
            ? '?partNumber=1&uploadId=u'
            : `?${what}`
    return { method, query, isCopy, body: bodies[name] ?? (method === 'PUT' ? 'x' : '') }
  }

  test('every operation of S3 on a bucket of another answers as if there were none', async () => {
    let tried = 0
    for (const [table, key] of [
      [routes.atBucket, ''],
      [routes.atObject, '/shared/a'],
    ] as const) {
      for (const name of Object.keys(table)) {
        // Whoever wants to create a bucket must learn that the name is taken: names are unique.
        if (table === routes.atBucket && name === 'PUT') continue
        const { method, query, isCopy, body } = requestOf(name)
        const ask = (bucket: string) =>
          answerTo(method, bucket, `${key}${query}`, isCopy ? { 'x-amz-copy-source': `${bucket}/shared/a` } : {}, body)
        const [theirs, none] = [await ask(Bucket), await ask('no-such-bucket')]
        assert.deepEqual(theirs, none, name)
        assert.ok(theirs.status >= 400 || name === 'POST delete', `${name}: ${theirs.status}`)
        tried++
      }
    }
    assert.ok(tried >= 25)
    assert.equal(await get(root, 'shared/a'), 'shared')
    const { Buckets } = await clientOf(other).send(new aws.ListBucketsCommand({}))
    assert.deepEqual(Buckets ?? [], [])
  })

  test('a bucket is shared with another tenant when its policy and theirs say so', async () => {
    const eve = clientOf(other)
    const shared = {
      Effect: 'Allow',
      Principal: { AWS: 'fjord' },
      Action: ['s3:GetObject', 's3:PutObject'],
      Resource: `arn:aws:s3:::${Bucket}/shared/*`,
    }
    await root.send(new aws.PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify(policy(shared)) }))
    assert.equal(await get(eve, 'shared/a'), 'shared')
    await put(eve, 'shared/from-eve', 'eve')
    assert.equal(await get(root, 'shared/from-eve'), 'eve')
    await assert.rejects(get(eve, 'secret/a'), refused(404, 'NoSuchBucket'))
    await eve.send(new aws.CreateBucketCommand({ Bucket: 'eves-own' }))
    await eve.send(new aws.CopyObjectCommand({ Bucket: 'eves-own', Key: 'copy', CopySource: `${Bucket}/shared/a` }))
    assert.equal(await get(eve, 'copy', 'eves-own'), 'shared')
    await assert.rejects(get(root, 'copy', 'eves-own'), refused(404, 'NoSuchBucket'))
    await root.send(new aws.DeleteBucketPolicyCommand({ Bucket }))
    await assert.rejects(get(eve, 'shared/a'), refused(404, 'NoSuchBucket'))
  })
})

/** Asks STS as the SDKs do: a form, signed for `sts` or not at all. */
async function sts(fields: Record<string, string>, key?: Credentials) {
  const body = new URLSearchParams({ Version: '2011-06-15', ...fields }).toString()
  const url = new URL(`${pelago.s3}/`)
  const time = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '')
  const headers: Record<string, string> = {
    'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
    host: url.host,
    'x-amz-date': time,
    ...(key?.sessionToken && { 'x-amz-security-token': key.sessionToken }),
  }
  if (key) {
    const names = Object.keys(headers).sort()
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
    const canonical = [
      'POST',
      '/',
      '',
      ...names.map((name) => `${name}:${headers[name]}`),
      '',
      names.join(';'),
      sha256(body),
    ]
    const scope = `${time.slice(0, 8)}/${pelago.region}/sts/aws4_request`
    const signingKey = scope
      .split('/')
      .reduce<string | Buffer>(
        (last, word) => createHmac('sha256', last).update(word).digest(),
        `AWS4${key.secretAccessKey}`,
      )
    const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical.join('\n'))].join('\n')
    const signature = createHmac('sha256', signingKey).update(toSign).digest('hex')
    headers.authorization = `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  }
  const answer = await fetch(url, { method: 'POST', headers, body })
  const text = await answer.text()
  const of = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]
  return { status: answer.status, code: of('Code'), of, text }
}

async function assume(fields: Record<string, string>, key?: Credentials): Promise<Credentials> {
  const Action = 'AssumeRole'
  const { status, of, text } = await sts({ Action, RoleSessionName: 'test', ...fields }, key)
  assert.equal(status, 200, text)
  return {
    accessKeyId: of('AccessKeyId') as string,
    secretAccessKey: of('SecretAccessKey') as string,
    sessionToken: of('SessionToken') as string,
  }
}

describe('temporary credentials', () => {
  const RoleArn = 'arn:aws:iam::demo:role/reader'
  let gil: Credentials
  before(async () => {
    await cli('person', 'create', 'gil', '--role', 'machine')
    gil = await newKey('gil')
    const trust = policy({
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::demo:user/gil' },
      Action: 'sts:AssumeRole',
    })
    await cli('role', 'create', 'reader', '--trust', file(trust), '--longest', '7200')
    const reading = { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: `arn:aws:s3:::${Bucket}/*` }
    await cli('role', 'policy', 'reader', '--set', file(policy(reading)))
  })
  const onlyShared = JSON.stringify(
    policy({ Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/shared/*` }),
  )

  test('who one is', async () => {
    const { of } = await sts({ Action: 'GetCallerIdentity' }, gil)
    assert.deepEqual([of('Arn'), of('Account')], ['arn:aws:iam::demo:user/gil', 'demo'])
    const session = await assume({ RoleArn }, gil)
    const within = await sts({ Action: 'GetCallerIdentity' }, session)
    assert.equal(within.of('Arn'), 'arn:aws:sts::demo:assumed-role/reader/test')
    assert.equal((await sts({ Action: 'GetCallerIdentity' })).code, 'MissingAuthenticationToken')
    assert.equal((await sts({ Action: 'Nonsense' }, gil)).code, 'InvalidAction')
  })

  test('a role may do what its policy says, and a session policy only takes away', async () => {
    await assert.rejects(get(clientOf(gil), 'shared/a'), denied)
    const whole = clientOf(await assume({ RoleArn }, gil))
    assert.equal(await get(whole, 'secret/a'), 'secret')
    const narrow = clientOf(await assume({ RoleArn, Policy: onlyShared }, gil))
    assert.equal(await get(narrow, 'shared/a'), 'shared')
    await assert.rejects(get(narrow, 'secret/a'), denied)
    await assert.rejects(put(narrow, 'shared/x'), denied)
    const more = JSON.stringify(policy({ Effect: 'Allow', Action: 's3:*', Resource: '*' }))
    const greedy = clientOf(await assume({ RoleArn, Policy: more }, gil))
    await assert.rejects(greedy.send(new aws.DeleteObjectCommand({ Bucket, Key: 'shared/a' })), denied)
  })

  test('a presigned URL obeys the session that signed it', async () => {
    const narrow = clientOf(await assume({ RoleArn, Policy: onlyShared }, gil))
    const at = async (Key: string) =>
      fetch(await getSignedUrl(narrow, new aws.GetObjectCommand({ Bucket, Key }), { expiresIn: 60 }))
    const good = await at('shared/a')
    assert.deepEqual([good.status, await good.text()], [200, 'shared'])
    assert.equal((await at('secret/a')).status, 403)
  })

  test('what is asked wrongly is refused with the code that STS has for it', async () => {
    const cases: [fields: Record<string, string>, code: string, who?: Credentials][] = [
      [{ RoleArn: 'arn:aws:iam::demo:role/none' }, 'AccessDenied'],
      [{ RoleArn: 'arn:aws:iam::fjord:role/reader' }, 'AccessDenied'],
      [{ RoleArn }, 'AccessDenied', { ...pelago, ...(await newKey('bo')) }],
      [{ RoleArn: 'reader' }, 'ValidationError'],
      [{ RoleArn, RoleSessionName: 'a b' }, 'ValidationError'],
      [{ RoleArn, DurationSeconds: '60' }, 'ValidationError'],
      [{ RoleArn, DurationSeconds: '7201' }, 'ValidationError'],
      [{ RoleArn, Policy: '{' }, 'MalformedPolicyDocument'],
      [{ RoleArn, Policy: `${onlyShared}${' '.repeat(2048)}` }, 'PackedPolicyTooLarge'],
    ]
    for (const [fields, code, who = gil] of cases)
      assert.equal(
        (await sts({ Action: 'AssumeRole', RoleSessionName: 'test', ...fields }, who)).code,
        code,
        JSON.stringify(fields).slice(0, 200),
      )
    const session = await assume({ RoleArn }, gil)
    assert.equal((await sts({ Action: 'AssumeRole', RoleSessionName: 'test', RoleArn }, session)).code, 'AccessDenied')
  })

  test('a token belongs to its key, unaltered', async () => {
    const [one, two] = [await assume({ RoleArn }, gil), await assume({ RoleArn }, gil)]
    const token = one.sessionToken as string
    const turned = `${token.slice(0, 40)}${token[40] === 'A' ? 'B' : 'A'}${token.slice(41)}`
    for (const sessionToken of [two.sessionToken as string, turned, 'x'])
      await assert.rejects(get(clientOf({ ...one, sessionToken }), 'shared/a'), refused(400, 'InvalidToken'))
    await assert.rejects(
      get(clientOf({ accessKeyId: one.accessKeyId, secretAccessKey: one.secretAccessKey }), 'shared/a'),
      refused(403, 'InvalidAccessKeyId'),
    )
    await assert.rejects(get(clientOf({ ...gil, sessionToken: token }), 'shared/a'), refused(400, 'InvalidToken'))
  })
})

describe('revocation', () => {
  /** Asks until it is refused. @returns milliseconds since `at` */
  async function refusedAfter(client: aws.S3Client, at: number): Promise<number> {
    while (Date.now() - at < 10 * boundMs) {
      const began = Date.now()
      const gone = await get(client, 'shared/a').then(
        () => false,
        (error: unknown) => refused(403, 'InvalidAccessKeyId')(error),
      )
      if (gone) return began - at
    }
    return Number.POSITIVE_INFINITY
  }

  test('within a second no gateway takes a key or what came of it any more, whatever was revoked', async () => {
    await cli('person', 'create', 'hal', '--role', 'owner')
    const trust = policy({
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::demo:user/hal' },
      Action: 'sts:AssumeRole',
    })
    await cli('role', 'create', 'short', '--trust', file(trust))
    await cli('role', 'policy', 'short', '--set', file(policy({ Effect: 'Allow', Action: 's3:*', Resource: '*' })))
    const RoleArn = 'arn:aws:iam::demo:role/short'
    const ways: ((key: Credentials) => { line: string[]; key: boolean })[] = [
      ({ accessKeyId }) => ({ line: ['key', 'disable', accessKeyId], key: true }),
      ({ accessKeyId }) => ({ line: ['key', 'delete', accessKeyId], key: true }),
      () => ({ line: ['person', 'revoke', 'hal'], key: false }),
      () => ({ line: ['role', 'revoke', 'short'], key: false }),
      () => ({ line: ['tenant', 'revoke', 'demo'], key: false }),
      () => ({ line: ['person', 'set', 'hal', '--state', 'disabled'], key: true }),
    ]
    for (const way of ways) {
      const key = await newKey('hal')
      const session = await assume({ RoleArn }, key)
      const { line, key: keyToo } = way(key)
      const held = [session, ...(keyToo ? [key] : [])].flatMap((credentials) =>
        pelago.endpoints.map((endpoint) => clientOf(credentials, endpoint)),
      )
      for (const client of held) assert.equal(await get(client, 'shared/a'), 'shared')
      await cli(...line)
      const at = Date.now()
      const times = await Promise.all(held.map((client) => refusedAfter(client, at)))
      assert.ok(
        times.every((ms) => ms <= boundMs),
        `${line.join(' ')}: ${times.join(', ')} ms`,
      )
    }
  })

  test('a long download ends soon after its key is gone', async () => {
    await put(root, 'long', 'z'.repeat(48 * 1024 * 1024))
    await cli('person', 'set', 'hal', '--state', 'active')
    const key = await newKey('hal')
    const { Body } = await clientOf(key).send(new aws.GetObjectCommand({ Bucket, Key: 'long' }))
    const stream = Body as NodeJS.ReadableStream & AsyncIterable<Uint8Array>
    const pieces = stream[Symbol.asyncIterator]()
    await pieces.next()
    await cli('key', 'delete', key.accessKeyId)
    await new Promise((resolve) => setTimeout(resolve, 2 * boundMs))
    let got = 0
    await assert.rejects(async () => {
      for (let next = await pieces.next(); !next.done; next = await pieces.next()) got += next.value.length
    })
    assert.ok(got < 48 * 1024 * 1024)
  })
})
