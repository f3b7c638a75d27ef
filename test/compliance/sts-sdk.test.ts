/** STS as the AWS SDK speaks it: over a real socket, with tokens of an OpenID Connect provider that is not ours. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import * as aws from '@aws-sdk/client-s3'
import * as sts from '@aws-sdk/client-sts'
import * as access from '#access'
import type { Clock } from '#kernel'
import { createS3 } from '#s3'
import { systemClock } from '../../src/host/clock.ts'
import { openS3Server } from '../../src/host/http/http-s3.ts'
import { openAccessHouse } from '../access/open-access.ts'
import { openMemoryShards } from '../fuzz/memory-shards.ts'
import { goThrough, openIdentityProvider } from '../tools/identity-provider.ts'

const Bucket = 'papers'
const region = 'eu-1'
const RoleArn = 'arn:aws:iam::demo:role/reader'
const back = 'http://127.0.0.1/callback'
const call = { actor: 'operator', tenant: 'demo', trace: 't', signal: new AbortController().signal }
const policy = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement })
const all = { Effect: 'Allow', Action: 's3:*', Resource: '*' }

/** Real time, that a test may move on. */
let later = 0
const clock: Clock = { ...systemClock, now: () => systemClock.now() + later }

let provider: Awaited<ReturnType<typeof openIdentityProvider>>
let house: Awaited<ReturnType<typeof openAccessHouse>>
let server: Awaited<ReturnType<typeof openS3Server>>
let owner: Signer
type Signer = { accessKeyId: string; secretAccessKey: string; sessionToken?: string }
const clients: { destroy(): void }[] = []

before(async () => {
  provider = await openIdentityProvider({ ada: { groups: ['nightly'] }, eve: { groups: ['daily'] } }, [back])
  const stores = new Map<string, ReturnType<typeof openMemoryShards>>()
  house = await openAccessHouse({
    origins: [provider.issuer],
    clock,
    shards(name) {
      const store = stores.get(name) ?? openMemoryShards(name)
      stores.set(name, store)
      return store
    },
  })
  const { acts, standing, policies, sessions } = house.access
  await access.createTenant(acts, call, { id: 'demo' })
  for (const [name, role] of [
    ['root', 'owner'],
    ['bo', 'machine'],
  ] as const)
    await access.createPerson(acts, call, { name, roles: [role] })
  owner = await newKey('root')
  await access.setWebIssuer(acts, call, {
    ...{ issuer: provider.issuer, audiences: ['pelago'], keysUrl: `${provider.issuer}/jwks` },
  })
  const site = provider.issuer.replace('http://', '')
  const trust = policy(
    { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::demo:user/root' }, Action: 'sts:AssumeRole' },
    {
      ...{ Effect: 'Allow', Principal: { Federated: provider.issuer }, Action: 'sts:AssumeRoleWithWebIdentity' },
      Condition: { 'ForAnyValue:StringEquals': { [`${site}:groups`]: 'nightly' } },
    },
  )
  await access.createAssumableRole(acts, call, { name: 'reader', trust, longestSeconds: 3600 })
  await access.setAccessPolicy(acts, call, {
    ...{ holder: { kind: 'role', name: 'reader' }, name: 'main', document: policy(all) },
  })
  await house.storage.probe(call.signal)
  const handle = createS3(
    { ...house, access: standing, storage: house.storage.objects, policies, sessions },
    { region, hostnames: ['localhost'] },
  )
  server = await openS3Server({ handle, clock, log: () => {} }, { host: '127.0.0.1', port: 0 })
  const s3 = s3Of(owner)
  await s3.send(new aws.CreateBucketCommand({ Bucket }))
  await s3.send(new aws.PutObjectCommand({ Bucket, Key: 'open', Body: 'open' }))
})
after(async () => {
  for (const client of clients) client.destroy()
  await server.close()
  await house.close()
  await provider.close()
})

async function newKey(person: string): Promise<Signer> {
  const { key, secret } = await access.createKey(house.access.acts, call, { person })
  return { accessKeyId: key.id, secretAccessKey: secret }
}
const common = () => ({ endpoint: `http://127.0.0.1:${server.port}`, region, maxAttempts: 1, systemClockOffset: later })
function s3Of(credentials: Signer) {
  const client = new aws.S3Client({ ...common(), credentials, forcePathStyle: true })
  clients.push(client)
  return client
}
function stsOf(credentials: Signer) {
  const client = new sts.STSClient({ ...common(), credentials })
  clients.push(client)
  return client
}
const get = async (signer: Signer) => {
  const found = await s3Of(signer).send(new aws.GetObjectCommand({ Bucket, Key: 'open' }))
  return found.Body?.transformToString()
}
const put = (signer: Signer) => s3Of(signer).send(new aws.PutObjectCommand({ Bucket, Key: 'new', Body: 'new' }))
const refused = (name: string, status: number) => (error: unknown) => {
  const { name: found, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } }
  assert.deepEqual([found, $metadata?.httpStatusCode], [name, status], String(error))
  return true
}
function signerOf({ Credentials: given }: { Credentials?: sts.Credentials | undefined }): Signer {
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = given ?? {}
  assert.ok(given?.Expiration instanceof Date && AccessKeyId && SecretAccessKey && SessionToken)
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken }
}
const assume = (more: Partial<sts.AssumeRoleCommandInput> = {}, by = owner) =>
  stsOf(by).send(new sts.AssumeRoleCommand({ RoleArn, RoleSessionName: 'run', ...more }))

/** A token of the provider for somebody, got as a program gets one: authorization code with PKCE. */
async function tokenOf(login: string): Promise<string> {
  const verifier = randomBytes(32).toString('base64url')
  const query = new URLSearchParams({
    ...{ client_id: 'pelago', redirect_uri: back, response_type: 'code', scope: 'openid', state: 's', nonce: 'n' },
    ...{ code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256' },
  })
  const answer = new URL(await goThrough(`${provider.issuer}/auth?${query.toString()}`, login, back))
  const code = answer.searchParams.get('code') ?? ''
  const response = await fetch(`${provider.issuer}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from('pelago:a-secret-that-only-the-two-know').toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: back, code_verifier: verifier }),
  })
  return ((await response.json()) as { id_token: string }).id_token
}
/** The SDK signs nothing here: it sends the token alone. */
const withToken = (WebIdentityToken: string, more: Partial<sts.AssumeRoleWithWebIdentityCommandInput> = {}) =>
  stsOf(owner).send(
    new sts.AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName: 'run', WebIdentityToken, ...more }),
  )

test('AssumeRole gives what the role may, and a session policy takes away from it', async () => {
  const answer = await assume({ DurationSeconds: 900 })
  const whole = signerOf(answer)
  assert.equal(answer.AssumedRoleUser?.Arn, 'arn:aws:sts::demo:assumed-role/reader/run')
  const lasts = (answer.Credentials?.Expiration?.getTime() ?? 0) - clock.now()
  assert.ok(lasts > 890_000 && lasts <= 900_000)
  assert.equal(await get(whole), 'open')
  await put(whole)
  const Policy = policy({ Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` })
  const narrow = signerOf(await assume({ Policy }))
  assert.equal(await get(narrow), 'open')
  await assert.rejects(put(narrow), refused('AccessDenied', 403))
  const who = await stsOf(narrow).send(new sts.GetCallerIdentityCommand({}))
  assert.deepEqual([who.Account, who.Arn], ['demo', 'arn:aws:sts::demo:assumed-role/reader/run'])
})

test('AssumeRoleWithWebIdentity takes a token of a real OpenID Connect provider from whom the role trusts', async () => {
  const token = await tokenOf('ada')
  const answer = await withToken(token)
  assert.deepEqual(
    [answer.SubjectFromWebIdentityToken, answer.Provider, answer.Audience],
    ['ada', provider.issuer, 'pelago'],
  )
  assert.equal(await get(signerOf(answer)), 'open')
  const Policy = policy({ Effect: 'Allow', Action: 's3:ListBucket', Resource: '*' })
  await assert.rejects(get(signerOf(await withToken(token, { Policy }))), refused('AccessDenied', 403))
  await assert.rejects(withToken(await tokenOf('eve')), refused('AccessDenied', 403))
  const [head, , end] = token.split('.')
  const claims = Buffer.from(JSON.stringify({ iss: provider.issuer, sub: 'ada', aud: 'pelago', exp: 4e9 }))
  const forged = `${head}.${claims.toString('base64url')}.${end}`
  await assert.rejects(withToken(forged), refused('InvalidIdentityTokenException', 400))
  provider.bend({ claims: (said) => ({ ...said, exp: 1000 }) })
  await assert.rejects(withToken(await tokenOf('ada')), refused('ExpiredTokenException', 400))
  provider.bend({ claims: (said) => ({ ...said, aud: 'another' }) })
  await assert.rejects(withToken(await tokenOf('ada')), refused('InvalidIdentityTokenException', 400))
  provider.bend({})
})

test('what is asked wrongly comes back as the errors that the SDK knows', async () => {
  await assert.rejects(assume({ DurationSeconds: 899 }), refused('ValidationError', 400))
  await assert.rejects(assume({ DurationSeconds: 3601 }), refused('ValidationError', 400))
  await assert.rejects(assume({ RoleSessionName: 'a/b' }), refused('ValidationError', 400))
  await assert.rejects(assume({ Policy: '{"Version":' }), refused('MalformedPolicyDocumentException', 400))
  await assert.rejects(assume({ RoleArn: 'arn:aws:iam::demo:role/none' }), refused('AccessDenied', 403))
  await assert.rejects(assume({}, await newKey('bo')), refused('AccessDenied', 403))
  const session = signerOf(await assume())
  await assert.rejects(assume({}, session), refused('AccessDenied', 403))
  await assert.rejects(assume({}, { ...owner, secretAccessKey: 'x'.repeat(40) }), refused('SignatureDoesNotMatch', 403))
  await assert.rejects(assume({}, { ...owner, accessKeyId: 'PELNOBODY' }), refused('InvalidClientTokenId', 403))
})

test('credentials end when they said, for S3 and for STS', async () => {
  const session = signerOf(await assume({ DurationSeconds: 900 }))
  assert.equal(await get(session), 'open')
  later = 901_000
  await assert.rejects(get(session), refused('ExpiredToken', 400))
  await assert.rejects(stsOf(session).send(new sts.GetCallerIdentityCommand({})), (error: unknown) =>
    /ExpiredToken/.test((error as Error).name),
  )
  later = 0
})
