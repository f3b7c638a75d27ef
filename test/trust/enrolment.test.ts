import assert from 'node:assert/strict'
import { createPublicKey, X509Certificate } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { type Row, type Statement, sql } from '#kernel'
import { type SignedDirectory, verifyDirectory } from '#pool'
import { checkCertificate, pinOfKey, readInvitationCode, writeInvitationCode } from '#trust'
import {
  type Answer,
  type FederationHouse,
  freshKeys,
  type Keys,
  north,
  openFederationHouse,
  place,
} from './open-house.ts'

const hourMs = 3_600_000

function* allInvitations(): Generator<Statement, Row[], Row[]> {
  return yield sql`SELECT * FROM invitations`
}

describe('enrolment', () => {
  let house: FederationHouse
  before(async () => {
    house = await openFederationHouse()
  })
  after(() => house?.close())

  const good = ({ status, body }: Answer) => {
    assert.equal(status, 200, JSON.stringify(body))
    return body
  }
  const refused = ({ status, body }: Answer, code: string, as?: number) => {
    assert.equal(body.code, code, JSON.stringify(body))
    if (as !== undefined) assert.equal(status, as)
  }
  const renew = (id: string, keys: Keys) =>
    house.send('POST', '/v1/certificates', house.signed('POST', '/v1/certificates', { key: keys.identity, keyId: id }))

  test('a gateway and a provider join; the directory says so, signed, and certificates are theirs', async () => {
    const keys = { gateway: freshKeys(), provider: freshKeys() }
    const gateway = good(await house.join(await house.invite('gateway', 'bridge'), 'gateway', keys.gateway))
    const code = await house.invite('provider', 'north')
    assert.equal(readInvitationCode(code, 'provider').authority, pinOfKey(house.authority.certificate.publicKey))
    const provider = good(await house.join(code, 'provider', keys.provider, place))
    assert.deepEqual([gateway.id, gateway.kind, provider.id, provider.kind], ['bridge', 'gateway', 'north', 'provider'])
    for (const [answer, role, id] of [
      [gateway, 'gateway', 'bridge'],
      [provider, 'provider', 'north'],
    ] as const) {
      checkCertificate(new X509Certificate(answer.certificate as string), {
        ...{ authority: new X509Certificate(answer.authority as string), role, id, pin: pinOfKey(keys[role].identity) },
        ...{ now: house.clock.now(), peer: id },
      })
    }
    const signed = provider.directory as unknown as SignedDirectory
    const directory = verifyDirectory(signed, house.key.publicKey, 0)
    assert.deepEqual(directory.providers, [
      { id: 'north', ...north, ...place, publicKey: keys.provider.shared, pin: pinOfKey(keys.provider.identity) },
    ])
    assert.deepEqual(directory.gateways, [
      {
        ...{ id: 'bridge', publicKey: keys.gateway.shared, pin: pinOfKey(keys.gateway.identity) },
        since: house.clock.now(),
      },
    ])
    const now = await house.directory()
    assert.equal(now.version, directory.version)
    const unchanged = await house.send('GET', '/v1/directory', { 'if-none-match': `"${now.version}"` })
    assert.equal(unchanged.status, 304)
    assert.equal(
      createPublicKey(keys.gateway.identity).equals(new X509Certificate(gateway.certificate as string).publicKey),
      true,
    )
  })

  test('a code is good once: again for the same keys, never for others, not after a day, not after a later one', async () => {
    const [mine, theirs] = [freshKeys(), freshKeys()]
    const code = await house.invite('gateway', 'once')
    const first = good(await house.join(code, 'gateway', mine))
    const { version } = await house.directory()
    const second = good(await house.join(code, 'gateway', mine))
    assert.equal(second.id, first.id)
    assert.equal((await house.directory()).version, version, 'a repetition changes nothing')
    refused(await house.join(code, 'gateway', theirs), 'invitation.used', 403)
    const [early, late] = [await house.invite('gateway', 'late'), await house.invite('gateway', 'late')]
    refused(await house.join(early, 'gateway', theirs), 'invitation.wrong', 403)
    house.clock.pass(24 * hourMs + 1)
    refused(await house.join(late, 'gateway', theirs), 'invitation.expired', 403)
  })

  test('who races for one code: one joins', async () => {
    const code = await house.invite('gateway', 'raced')
    const answers = await Promise.all(Array.from({ length: 6 }, () => house.join(code, 'gateway', freshKeys())))
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 403, 403, 403, 403, 403],
    )
  })

  test('a member is not replaced by accident, and never by another kind', async () => {
    const ask = (path: string, body: Record<string, never> | object) => house.ask('POST', path, body as never)
    refused(await ask('/v1/gateways/bridge/invitations', {}), 'member.enrolled', 409)
    refused(await ask('/v1/gateways/bridge/invitations', { again: false }), 'member.enrolled', 409)
    refused(await ask('/v1/gateways/north/invitations', { again: true }), 'member.kind', 409)
    refused(await ask('/v1/gateways/federation/invitations', {}), 'member.id', 400)
    refused(await ask('/v1/providers/south/invitations', { ...north, country: 'Germany' }), 'request.invalid', 400)
    const keys = freshKeys()
    const before = await house.directory()
    good(await house.join(await house.invite('gateway', 'bridge', { again: true }), 'gateway', keys))
    const after = await house.directory()
    assert.equal(after.version, before.version + 1)
    assert.equal(after.directory.gateways.length, before.directory.gateways.length)
  })

  test('keys are of one member only, of the right kind, and shown to be there', async () => {
    const [mine, theirs] = [freshKeys(), freshKeys()]
    good(await house.join(await house.invite('gateway', 'first'), 'gateway', theirs))
    const code = await house.invite('gateway', 'second')
    refused(await house.join(code, 'gateway', theirs), 'member.key', 400)
    refused(await house.join(code, 'gateway', { ...mine, shared: theirs.shared }), 'member.key', 400)
    refused(await house.join(code, 'gateway', { ...mine, publicIdentity: theirs.publicIdentity }), 'signature.wrong')
    refused(await house.join(code, 'gateway', mine, { identity: 'AAAA' }), 'certificate.key', 400)
    const { invitation, secret } = readInvitationCode(code, 'gateway')
    const identity = mine.publicIdentity.export({ format: 'der', type: 'spki' }).toString('base64')
    const body = JSON.stringify({ invitation, secret, publicKey: mine.shared, identity })
    refused(await house.send('POST', '/v1/members', {}, body), 'signature.malformed')
    const headers = house.signed('POST', '/v1/members', { key: mine.identity, keyId: 'second' }, body)
    const changed = body.replace(mine.shared, freshKeys().shared)
    refused(await house.send('POST', '/v1/members', headers, changed), 'digest.wrong')
    good(await house.send('POST', '/v1/members', headers, body))
  })

  test('a provider says where it is and how much it takes; what nobody would believe is not signed', async () => {
    const keys = freshKeys()
    const code = await house.invite('provider', 'placeless')
    const { version } = await house.directory()
    for (const [further, fault] of [
      [{}, 'member.endpoint'],
      [{ endpoint: place.endpoint }, 'member.endpoint'],
      [{ ...place, endpoint: 'ftp://127.0.0.1' }, 'member.endpoint'],
      [{ ...place, endpoint: 'http://127.0.0.1:1/path' }, 'member.endpoint'],
      [{ ...place, endpoint: 'http://me@127.0.0.1:1' }, 'member.endpoint'],
    ] as const)
      refused(await house.join(code, 'provider', keys, further), fault, 400)
    assert.equal((await house.directory()).version, version)
    good(await house.join(code, 'provider', keys, place))
  })

  test('a member renews its certificate by its signature; nobody else gets one', async () => {
    const keys = freshKeys()
    good(await house.join(await house.invite('gateway', 'renewing'), 'gateway', keys))
    const { certificate } = good(await renew('renewing', keys))
    assert.equal(new X509Certificate(certificate as string).subject, 'CN=renewing')
    refused(await renew('renewing', freshKeys()), 'signature.wrong', 401)
    refused(await renew('nobody', keys), 'member.unknown', 401)
    refused(await house.ask('POST', '/v1/certificates'), 'member.unsigned', 403)
    refused(await house.send('POST', '/v1/certificates', {}), 'request.unauthenticated', 401)
    const target = '/v1/certificates'
    const headers = house.signed('POST', target, { key: keys.identity, keyId: 'renewing' })
    good(await house.send('POST', target, headers))
    refused(await house.send('POST', target, headers), 'signature.replayed', 401)
    const fresh = () => house.signed('POST', target, { key: keys.identity, keyId: 'renewing' })
    refused(await house.send('POST', target, fresh(), '{}'), 'digest.wrong', 401)
    refused(await house.send('POST', `${target}?x=1`, fresh()), 'signature.wrong', 401)
    const late = fresh()
    house.clock.pass(7 * 60_000)
    refused(await house.send('POST', target, late), 'signature.expired', 401)
    // A machine may ask for nothing but what is for machines.
    const list = house.signed('GET', '/v1/members', { key: keys.identity, keyId: 'renewing' })
    refused(await house.send('GET', '/v1/members', list), 'request.forbidden', 403)
  })

  test('who is revoked is refused at once, is in no directory, and its keys never come back', async () => {
    const keys = freshKeys()
    good(await house.join(await house.invite('gateway', 'leaving'), 'gateway', keys))
    const pending = await house.invite('gateway', 'leaving', { again: true })
    good(await renew('leaving', keys))
    const revoke = (kind: string) => house.ask('POST', '/v1/members/leaving/revoke', { kind })
    refused(await revoke('provider'), 'member.missing', 404)
    const revoked = good(await revoke('gateway'))
    assert.deepEqual([revoked.state, revoked.revokedAt], ['revoked', house.clock.now()])
    const { directory, version } = await house.directory()
    assert.ok(!directory.gateways.some(({ id }) => id === 'leaving'))
    refused(await renew('leaving', keys), 'member.revoked', 401)
    refused(await house.join(pending, 'gateway', freshKeys()), 'invitation.wrong', 403)
    good(await revoke('gateway'))
    assert.equal((await house.directory()).version, version, 'twice comes to the same as once')
    refused(await house.join(await house.invite('gateway', 'leaving'), 'gateway', keys), 'member.key', 400)
    refused(await house.join(await house.invite('gateway', 'heir'), 'gateway', keys), 'member.key', 400)
    good(await house.join(await house.invite('gateway', 'leaving'), 'gateway', freshKeys()))
  })

  test('codes that are none are counted, and then wait', async () => {
    const code = await house.invite('gateway', 'guessed')
    const parts = readInvitationCode(code, 'gateway')
    const guess = writeInvitationCode({ ...parts, secret: 'A'.repeat(43) })
    const keys = freshKeys()
    const codes: unknown[] = []
    for (let tries = 0; tries < 25; tries++) codes.push((await house.join(guess, 'gateway', keys)).body.code)
    assert.deepEqual([codes[0], codes.at(-1)], ['invitation.wrong', 'join.spent'])
    house.clock.pass(16 * 60_000)
    good(await house.join(code, 'gateway', keys))
  })

  test('members are listed in pages', async () => {
    const ids: string[] = []
    let next: string | null | undefined
    do {
      const { body } = await house.ask('GET', `/v1/members?limit=3${next === undefined ? '' : `&after=${next}`}`)
      ids.push(...(body.members as { id: string }[]).map(({ id }) => id))
      next = body.next as string | null
    } while (next !== null)
    assert.deepEqual(ids, ids.toSorted())
    assert.ok(ids.includes('north') && ids.includes('leaving'))
  })

  test('the log has it all, in the order of its happening, and no secret; neither has the database or any line', async () => {
    const code = await house.invite('gateway', 'told')
    const { secret } = readInvitationCode(code, 'gateway')
    good(await house.join(code, 'gateway', freshKeys()))
    const stated = await house.stated()
    const ofTold = stated.filter(({ about }) => about === 'told').map(({ topic }) => topic)
    assert.deepEqual(ofTold, ['member.invited', 'member.joined', 'certificate.issued'])
    const versions = stated.filter(({ topic }) => topic === 'directory.signed').map(({ facts }) => facts.version)
    assert.deepEqual(
      versions,
      Array.from({ length: versions.length }, (_, at) => at + 1),
      'no version is missing',
    )
    assert.ok(!JSON.stringify(stated).includes(secret))
    assert.ok(!house.lines.join('\n').includes(secret))
    const rows = await house.database.read(allInvitations)
    assert.ok(rows.length > 0 && !JSON.stringify(rows).includes(secret))
  })
})

test('a code of which anything is lost, changed or of another kind is refused in words', () => {
  const code = writeInvitationCode({
    ...{ kind: 'gateway', member: 'bridge', url: 'https://federation.example:4200', authority: 'a'.repeat(64) },
    ...{ invitation: 'b'.repeat(24), secret: 'c'.repeat(43) },
  })
  assert.equal(readInvitationCode(` ${code}\n`, 'gateway').member, 'bridge')
  assert.throws(() => readInvitationCode(code, 'provider'), { code: 'invitation.kind' })
  fc.assert(
    fc.property(fc.nat(code.length - 1), fc.constantFrom('', 'A', '-', '_', '.', ' '), (at, put) => {
      const bent = code.slice(0, at) + put + code.slice(at + 1)
      if (bent === code) return
      assert.throws(() => readInvitationCode(bent, 'gateway'), { code: 'invitation.unreadable' })
    }),
  )
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.throws(() => readInvitationCode(`pelago1-${text}`, 'gateway'), { code: 'invitation.unreadable' })
    }),
  )
})
