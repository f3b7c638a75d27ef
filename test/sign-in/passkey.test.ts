import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server'
import { type Bend, cbor, Passkey } from '../tools/authenticator.ts'
import {
  type Asker,
  enrol,
  firstOwner,
  good,
  type House,
  openHouse,
  origin,
  rp,
  signIn,
} from '../tools/sign-in-house.ts'

let house: House
let owner: { asker: Asker; keys: Passkey[]; name: string }

before(async () => {
  house = await openHouse()
  owner = await firstOwner(house)
})
after(() => house.close())

async function register(key: Passkey, bend: Bend = {}, attest: 'none' | 'packed' = 'none', page = origin) {
  const begun = good(await house.ask('POST', '/v1/passkeys/begin', {}, owner.asker)).body
  const answer = key.create(begun.options as never, page, attest, bend)
  return house.ask('POST', '/v1/passkeys', { ceremony: begun.ceremony, name: 'another', answer }, owner.asker)
}

async function enter(key: Passkey, bend: Bend = {}, page = origin) {
  const begun = good(await house.ask('POST', '/v1/sign-in/passkey', {})).body
  const answer = key.get(begun.options as never, page, bend)
  return house.ask('POST', '/v1/sign-in/passkey/finish', { ceremony: begun.ceremony, answer })
}

const flip = (at: number) => (bytes: Buffer) => {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] as number) ^ 1
  return copy
}

test('the first owner has two passkeys, and each of them signs him in', async () => {
  const list = good(await house.ask('GET', '/v1/passkeys', undefined, owner.asker)).body.passkeys as unknown[]
  assert.equal(list.length, 2)
  for (const key of owner.keys) {
    const { body, cookie } = good(await signIn(house, key))
    assert.equal(body.person, 'ada')
    assert.equal(body.token, null)
    const me = good(await house.ask('GET', '/v1/session', undefined, { cookie })).body
    assert.deepEqual([me.actor, me.roles, me.kind, me.tenant], ['ada', ['owner'], 'session', 'demo'])
  }
})

for (const algorithm of [-7, -8, -257] as const) {
  for (const attest of ['none', 'packed'] as const) {
    test(`a passkey of algorithm ${algorithm} with statement ${attest} is registered and signs in`, async () => {
      const key = new Passkey(algorithm)
      const made = good(await register(key, {}, attest))
      assert.equal(made.body.usedAt, null)
      good(await enter(key))
      const { passkeys } = good(await house.ask('GET', '/v1/passkeys', undefined, owner.asker)).body
      const found = (passkeys as { id: string; usedAt: number | null }[]).find(({ id }) => id === made.body.id)
      assert.equal(found?.usedAt, house.clock.now())
      good(await house.ask('DELETE', `/v1/passkeys/${made.body.id as string}`, undefined, owner.asker))
      assert.equal((await enter(key)).body.code, 'passkey.unknown')
    })
  }
}

test('options ask for what is judged later', async () => {
  const { options } = good(await house.ask('POST', '/v1/passkeys/begin', {}, owner.asker)).body as {
    options: Record<string, unknown>
  }
  assert.deepEqual(options.rp, { id: rp, name: 'Test' })
  assert.equal(options.attestation, 'none')
  assert.equal((options.excludeCredentials as unknown[]).length, 2)
  assert.deepEqual(options.authenticatorSelection, {
    ...{ residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
  })
  assert.ok(Buffer.from(options.challenge as string, 'base64url').length === 32)
})

/** A point that is on no curve: 1, 1. */
const offCurve = () => {
  const one = Buffer.concat([Buffer.alloc(31), Buffer.from([1])])
  return new Map<number, number | Buffer>([
    [1, 2],
    [3, -7],
    [-1, 1],
    [-2, one],
    [-3, one],
  ])
}
const coseWith = (label: number, value: number | Buffer) => new Map(new Passkey(-7).cose()).set(label, value)

const registrations: [what: string, code: string, bend: Bend, attest?: 'packed'][] = [
  ['another type', 'passkey.type', { client: { type: 'webauthn.get' } }],
  ['no type', 'passkey.type', { client: { type: undefined } }],
  ['another challenge', 'passkey.challenge', { client: { challenge: 'A'.repeat(43) } }],
  ['no challenge', 'passkey.challenge', { client: { challenge: undefined } }],
  ['another origin', 'passkey.origin', { client: { origin: 'https://storage.example.org.evil.example' } }],
  ['the origin over plain HTTP', 'passkey.origin', { client: { origin: 'http://storage.example.org' } }],
  ['no origin', 'passkey.origin', { client: { origin: undefined } }],
  ['a foreign frame', 'passkey.framed', { client: { crossOrigin: true } }],
  ['a foreign page around', 'passkey.framed', { client: { topOrigin: 'https://evil.example' } }],
  ['client data that is no JSON', 'passkey.malformed', { clientText: '{' }],
  ['client data that is no object', 'passkey.malformed', { clientText: '[]' }],
  ['another RP', 'passkey.rp', { rp: 'example.org' }],
  ['nobody present', 'passkey.presence', { without: 1 }],
  ['nobody verified', 'passkey.verification', { without: 4 }],
  ['backed up though it cannot be', 'passkey.backup', { also: 16 }],
  ['extensions', 'passkey.extended', { also: 128 }],
  [
    'no key',
    'passkey.incomplete',
    { data: (data) => Buffer.concat([data.subarray(0, 32), Buffer.from([5]), data.subarray(33, 37)]) },
  ],
  ['bytes behind the data', 'passkey.malformed', { data: (data) => Buffer.concat([data, Buffer.alloc(1)]) }],
  ['short data', 'passkey.malformed', { data: (data) => data.subarray(0, 36) }],
  ['a name longer than the data', 'passkey.malformed', { data: flip(53) }],
  ['data that ends before the name', 'passkey.malformed', { data: (data) => data.subarray(0, 50) }],
  [
    'a name of no length',
    'passkey.malformed',
    { data: (data) => Buffer.concat([data.subarray(0, 53), Buffer.alloc(2), data.subarray(87)]) },
  ],
  ['another name', 'passkey.id', { data: flip(60) }],
  ['an unknown algorithm', 'passkey.algorithm', { cose: coseWith(3, -47) }],
  ['a key of another kind', 'passkey.key', { cose: coseWith(1, 3) }],
  ['a key of another curve', 'passkey.key', { cose: coseWith(-1, 2) }],
  ['a point on no curve', 'passkey.key', { cose: offCurve() }],
  ['a short coordinate', 'passkey.key', { cose: coseWith(-2, Buffer.alloc(31, 1)) }],
  ['a statement of a TPM', 'passkey.attestation', { format: 'tpm' }],
  [
    'a statement where there must be none',
    'passkey.statement',
    { statement: (map) => map.set('sig', Buffer.alloc(8)) },
  ],
  [
    'a statement with certificates',
    'passkey.attestation',
    { statement: (map) => map.set('x5c', Buffer.alloc(8)) },
    'packed',
  ],
  ['a statement of another algorithm', 'passkey.statement', { statement: (map) => map.set('alg', -8) }, 'packed'],
  ['a statement without signature', 'passkey.statement', { statement: (map) => map.set('sig', 1) }, 'packed'],
  ['a statement with another signature', 'passkey.statement', { signature: flip(20) }, 'packed'],
  ['data changed after it was signed', 'passkey.statement', { dataAfter: flip(40) }, 'packed'],
  ['an attestation cut short', 'passkey.malformed', { attestation: (bytes) => bytes.subarray(0, -1) }],
  [
    'bytes behind the attestation',
    'passkey.malformed',
    { attestation: (bytes) => Buffer.concat([bytes, Buffer.alloc(1)]) },
  ],
  ['an attestation that is no map', 'passkey.malformed', { attestation: () => cbor('x') }],
  ['an attestation without its parts', 'passkey.malformed', { attestation: () => cbor(new Map([['fmt', 'none']])) }],
  ['an attestation of endless length', 'passkey.malformed', { attestation: () => Buffer.from([0xbf, 0xff]) }],
]
for (const [what, code, bend, attest] of registrations) {
  test(`a registration with ${what} is refused: ${code}`, async () => {
    const answer = await register(new Passkey(-7), bend, attest ?? 'none')
    assert.equal(answer.body.code, code, JSON.stringify(answer.body))
    assert.equal(answer.cookies.length, 0)
  })
}

const assertions: [what: string, code: string, bend: Bend][] = [
  ['another type', 'passkey.type', { client: { type: 'webauthn.create' } }],
  ['another challenge', 'passkey.challenge', { client: { challenge: 'A'.repeat(43) } }],
  ['another origin', 'passkey.origin', { client: { origin: 'https://evil.example' } }],
  ['a foreign frame', 'passkey.framed', { client: { crossOrigin: 'yes' } }],
  ['another RP', 'passkey.rp', { rp: 'evil.example' }],
  ['nobody present', 'passkey.presence', { without: 1 }],
  ['nobody verified', 'passkey.verification', { without: 4 }],
  ['backed up though it cannot be', 'passkey.backup', { also: 16 }],
  ['another word about backup', 'passkey.changed', { also: 8 }],
  ['extensions', 'passkey.extended', { also: 128 }],
  ['another signature', 'passkey.signature', { signature: flip(12) }],
  ['a signature that is none', 'passkey.signature', { signature: () => Buffer.alloc(70, 1) }],
  ['a counter changed after it was signed', 'passkey.signature', { dataAfter: flip(33) }],
  ['client data changed after it was signed', 'passkey.signature', { client: { note: 1 }, signature: flip(30) }],
  ['another person', 'passkey.owner', { userHandle: Buffer.from('somebody').toString('base64url') }],
  ['no person', 'passkey.owner', { userHandle: null }],
  ['short data', 'passkey.malformed', { data: (data) => data.subarray(0, 36) }],
  ['bytes behind the data', 'passkey.malformed', { data: (data) => Buffer.concat([data, Buffer.alloc(3)]) }],
]
for (const [what, code, bend] of assertions) {
  test(`a sign-in with ${what} is refused: ${code}`, async () => {
    const answer = await enter(owner.keys[0] as Passkey, bend)
    assert.equal(answer.body.code, code, JSON.stringify(answer.body))
    assert.equal(answer.cookies.length, 0)
  })
}

test('an answer that is spelt in another way is refused, although its bytes are right', async () => {
  // Authenticator data of 37 bytes leaves bits of its last letter unused.
  const begun = good(await house.ask('POST', '/v1/sign-in/passkey', {})).body
  const answer = (owner.keys[0] as Passkey).get(begun.options as never, origin)
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const { authenticatorData: data } = answer
  const other = data.slice(0, -1) + (letters[letters.indexOf(data.at(-1) as string) + 1] as string)
  assert.deepEqual(Buffer.from(other, 'base64url'), Buffer.from(data, 'base64url'))
  const spelt = { ...answer, authenticatorData: other }
  const refused = await house.ask('POST', '/v1/sign-in/passkey/finish', { ceremony: begun.ceremony, answer: spelt })
  assert.equal(refused.body.code, 'passkey.malformed')
})

test('a challenge is good once, for five minutes, for its purpose and its person', async () => {
  const [key] = owner.keys as [Passkey]
  const begun = good(await house.ask('POST', '/v1/sign-in/passkey', {})).body
  const answer = key.get(begun.options as never, origin)
  const finish = (ceremony: unknown) => house.ask('POST', '/v1/sign-in/passkey/finish', { ceremony, answer })
  good(await finish(begun.ceremony))
  assert.equal((await finish(begun.ceremony)).body.code, 'ceremony.missing')

  const spoilt = good(await house.ask('POST', '/v1/sign-in/passkey', {})).body
  assert.equal((await finish(spoilt.ceremony)).body.code, 'passkey.challenge')
  const late = key.get(spoilt.options as never, origin)
  const again = await house.ask('POST', '/v1/sign-in/passkey/finish', { ceremony: spoilt.ceremony, answer: late })
  assert.equal(again.body.code, 'ceremony.missing', 'a refused answer uses the challenge up too')

  const old = good(await house.ask('POST', '/v1/sign-in/passkey', {})).body
  house.clock.pass(5 * 60_000)
  assert.equal((await finish(old.ceremony)).body.code, 'ceremony.expired')

  const mine = good(await house.ask('POST', '/v1/passkeys/begin', {}, owner.asker)).body
  assert.equal((await finish(mine.ceremony)).body.code, 'ceremony.foreign')
})

test('two at once with one challenge: one signs in', async () => {
  const begun = good(await house.ask('POST', '/v1/sign-in/passkey', {})).body
  const answer = (owner.keys[0] as Passkey).get(begun.options as never, origin)
  const tries = await Promise.all(
    Array.from({ length: 8 }, () =>
      house.ask('POST', '/v1/sign-in/passkey/finish', { ceremony: begun.ceremony, answer }),
    ),
  )
  assert.equal(tries.filter(({ status }) => status === 200).length, 1)
})

test('a passkey is registered once, whoever holds it', async () => {
  assert.equal((await register(owner.keys[0] as Passkey)).body.code, 'passkey.taken')
})

test('a counter that goes back is noted for all to see; one that never counts is not', async () => {
  const key = new Passkey(-7)
  good(await register(key))
  key.counter = 40
  good(await enter(key))
  key.counter = 10
  good(await enter(key))
  const { notices } = good(await house.ask('GET', '/v1/notices', undefined, owner.asker)).body
  assert.equal((notices as { kind: string }[])[0]?.kind, 'passkey.regressed')
  key.counter = 50
  good(await enter(key))
  const calm = new Passkey(-8)
  calm.counts = false
  good(await register(calm))
  good(await enter(calm))
  good(await enter(calm))
  const later = good(await house.ask('GET', '/v1/notices', undefined, owner.asker)).body.notices as { kind: string }[]
  assert.equal(later.filter(({ kind }) => kind === 'passkey.regressed').length, 1)
})

test('a person has at most twenty passkeys', async () => {
  const fresh = await openHouse()
  try {
    const { asker } = await firstOwner(fresh)
    const more = async () => {
      const begun = good(await fresh.ask('POST', '/v1/passkeys/begin', {}, asker)).body
      const answer = new Passkey(-8).create(begun.options as never, origin)
      return fresh.ask('POST', '/v1/passkeys', { ceremony: begun.ceremony, name: 'more', answer }, asker)
    }
    for (let count = 2; count < 20; count++) good(await more())
    assert.equal((await more()).body.code, 'passkey.many')
  } finally {
    await fresh.close()
  }
})

test('the last passkey stays, also when two are removed at once', async () => {
  const fresh = await openHouse()
  try {
    const { asker, keys } = await firstOwner(fresh)
    const ids = keys.map((key) => key.id.toString('base64url'))
    const removed = await Promise.all(ids.map((id) => fresh.ask('DELETE', `/v1/passkeys/${id}`, undefined, asker)))
    assert.deepEqual(
      removed.map(({ status }) => status).sort((a, b) => a - b),
      [200, 409],
    )
    assert.equal((await fresh.ask('DELETE', `/v1/passkeys/none`, undefined, asker)).body.code, 'passkey.missing')
  } finally {
    await fresh.close()
  }
})

test('a passkey of another tenant is unknown here', async () => {
  await house.database.transact(function* () {
    yield { text: ["UPDATE passkeys SET tenant = 'other' WHERE id = ", ''], values: [url(owner.keys[1] as Passkey)] }
  })
  assert.equal((await enter(owner.keys[1] as Passkey)).body.code, 'passkey.unknown')
})
const url = (key: Passkey) => key.id.toString('base64url')

test('an independent library finds the same ceremonies good', async () => {
  const key = new Passkey(-7)
  const challenge = createHash('sha256').update('x').digest('base64url')
  const made = key.create({ challenge, rp: { id: rp }, user: { id: 'cA' } }, origin, 'packed')
  const registered = await verifyRegistrationResponse({
    response: {
      ...{ id: made.id, rawId: made.id, type: 'public-key', clientExtensionResults: {} },
      response: { clientDataJSON: made.clientData, attestationObject: made.attestation },
    },
    ...{ expectedChallenge: challenge, expectedOrigin: origin, expectedRPID: rp, requireUserVerification: true },
  })
  assert.ok(registered.verified && registered.registrationInfo)
  const said = key.get({ challenge, rpId: rp }, origin)
  const checked = await verifyAuthenticationResponse({
    response: {
      ...{ id: said.id, rawId: said.id, type: 'public-key', clientExtensionResults: {} },
      response: {
        ...{ clientDataJSON: said.clientData, authenticatorData: said.authenticatorData, signature: said.signature },
      },
    },
    ...{ expectedChallenge: challenge, expectedOrigin: origin, expectedRPID: rp },
    credential: registered.registrationInfo.credential,
  })
  assert.ok(checked.verified)
})

test('nothing of a passkey or a session stands in the log', async () => {
  assert.equal(house.lines.filter((line) => /pls_|signature/.test(line)).length, 0)
  const keys = [new Passkey(-7)]
  const { body } = await house.ask('POST', '/v1/enrolments', { kind: 'admin', code: 'AAAA-BBBB-CCCC', name: 'eve' })
  assert.equal(body.code, 'admin.code')
  await assert.rejects(enrol(house, 'x'.repeat(43), keys), /ceremony.missing/)
})
