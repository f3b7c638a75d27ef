import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { exportJWK, SignJWT } from 'jose'
import { createAssumableRole, createTenant, deleteWebIssuer, setAccessPolicy, setWebIssuer } from '#access'
import { openVirtualClock } from '../tools/virtual-clock.ts'
import { openAccessHouse } from './open-access.ts'

const call = { actor: 'operator', tenant: 'demo' }
const policy = (Statement: unknown) => JSON.stringify({ Version: '2012-10-17', Statement })

test('a token of a trusted issuer gets temporary credentials, and no other token does', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const next = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }]
  let fetched = 0
  const server = createServer((_, response) => {
    fetched++
    response.end(JSON.stringify({ keys }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const clock = openVirtualClock()
  const house = await openAccessHouse({ origins: [issuer], clock })
  const { acts, sessions, standing } = house.access

  await createTenant(acts, call, { id: 'demo' })
  await setWebIssuer(acts, call, { issuer, audiences: ['pelago'], keysUrl: `${issuer}/jwks` })
  const trust = policy({
    Effect: 'Allow',
    Principal: { Federated: issuer },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: {
      StringLike: { [`${issuer.replace('http://', '')}:sub`]: 'job-*' },
      'ForAnyValue:StringEquals': { [`${issuer.replace('http://', '')}:groups`]: 'nightly' },
    },
  })
  await createAssumableRole(acts, call, { name: 'job', trust, longestSeconds: 3600 })
  const document = policy({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' })
  await setAccessPolicy(acts, call, { holder: { kind: 'role', name: 'job' }, name: 'main', document })

  type Claims = { sub?: string; aud?: string; iss?: string; in?: number; groups?: string[]; alg?: string; kid?: string }
  const tokenOf = (claims: Claims = {}, key = privateKey) => {
    const { sub = 'job-7', aud = 'pelago', iss = issuer, groups = ['nightly', 'x'], kid = 'one' } = claims
    const exp = Math.floor(clock.now() / 1000) + (claims.in ?? 600)
    return new SignJWT({ sub, groups })
      .setProtectedHeader({ alg: 'ES256', kid })
      .setIssuer(iss)
      .setAudience(aud)
      .setExpirationTime(exp)
      .sign(key)
  }
  const ask = (token: string, more: { policy?: string } = {}) =>
    sessions.assumeRoleWithWebIdentity({
      ...{ roleArn: 'arn:aws:iam::demo:role/job', sessionName: 'run', token, lookup: () => undefined },
      ...more,
    })

  const given = await ask(await tokenOf())
  assert.deepEqual([given.issuer, given.audience, given.subject], [issuer, 'pelago', 'job-7'])
  const key = await standing.find(given.id, given.token)
  assert.equal(key?.secret, given.secret)
  assert.deepEqual(
    [key?.caller.arn, key?.caller.full, key?.caller.owner],
    ['arn:aws:sts::demo:assumed-role/job/run', false, false],
  )

  const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const plain = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url')
  const parts = (await tokenOf()).split('.')
  const wrong: [token: string, code: string][] = [
    [await tokenOf({ sub: 'someone' }), 'sts.denied'],
    [await tokenOf({ groups: ['daily'] }), 'sts.denied'],
    [await tokenOf({ aud: 'another' }), 'sts.identity'],
    [await tokenOf({ iss: 'https://elsewhere.example' }), 'sts.identity'],
    [await tokenOf({ in: -600 }), 'sts.identity-expired'],
    [await tokenOf({}, foreign), 'sts.identity'],
    [await tokenOf({ kid: 'two' }, next.privateKey), 'sts.identity'],
    [`${plain}.${parts[1]}.`, 'sts.identity'],
    [`${parts[0]}.${Buffer.from('{"iss":1}').toString('base64url')}.${parts[2]}`, 'sts.identity'],
    ['no token', 'sts.identity'],
  ]
  for (const [token, code] of wrong) await assert.rejects(ask(token), { code })
  assert.equal(fetched, 1, 'keys are not fetched for every wrong token')

  // The issuer changes its keys: a token under the new one is taken once the keys may be fetched again.
  keys.push({ ...(await exportJWK(next.publicKey)), kid: 'two', alg: 'ES256', use: 'sig' })
  clock.pass(31_000)
  await ask(await tokenOf({ kid: 'two' }, next.privateKey))
  assert.equal(fetched, 2)

  await deleteWebIssuer(acts, call, issuer)
  assert.equal(await standing.find(given.id, given.token), undefined)
  await assert.rejects(ask(await tokenOf()), { code: 'sts.identity' })
  server.close()
  await house.close()
})

test('credentials end when they said they would', async () => {
  const clock = openVirtualClock()
  const house = await openAccessHouse({ clock })
  const { acts, sessions, standing } = house.access
  const { createKey, createPerson } = await import('#access')
  await createTenant(acts, call, { id: 'demo' })
  await createPerson(acts, call, { name: 'ada', roles: ['owner'] })
  const { key, secret } = await createKey(acts, call, { person: 'ada' })
  const trust = policy({ Effect: 'Allow', Principal: { AWS: 'demo' }, Action: 'sts:AssumeRole' })
  await createAssumableRole(acts, call, { name: 'job', trust, longestSeconds: 3600 })
  const asker = await standing.find(key.id, undefined)
  assert.equal(asker?.secret, secret)
  const wish = { roleArn: 'arn:aws:iam::demo:role/job', sessionName: 'run', lookup: () => undefined, seconds: 900 }
  const given = await sessions.assumeRole(asker, wish)
  clock.pass(899_000)
  assert.ok(await standing.find(given.id, given.token))
  clock.pass(1000)
  await assert.rejects(standing.find(given.id, given.token), { code: 'access.token-expired' })
  await house.close()
})
