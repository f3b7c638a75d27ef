import assert from 'node:assert/strict'
import { test } from 'node:test'
import { insertPerson } from '#access'
import { Passkey } from '../tools/authenticator.ts'
import { findPostgres, startPostgres } from '../tools/postgres.ts'
import { type Asker, enrol, firstOwner, good, openHouse, origin, signIn } from '../tools/sign-in-house.ts'
import { openVirtualClock } from '../tools/virtual-clock.ts'

const skip =
  findPostgres() === undefined && 'PostgreSQL is not installed; enable with: sudo apt-get install -y postgresql'

test('on PostgreSQL, where everything really happens at once: once stays once', { skip }, async () => {
  const server = await startPostgres()
  const house = await openHouse({}, openVirtualClock(), server.url)
  try {
    const owner = await firstOwner(house)
    const [key] = owner.keys as [Passkey]

    const begun = good(await house.ask('POST', '/v1/sign-in/passkey', {})).body
    const answer = key.get(begun.options as never, origin)
    const finish = () => house.ask('POST', '/v1/sign-in/passkey/finish', { ceremony: begun.ceremony, answer })
    const entered = await Promise.all(Array.from({ length: 8 }, finish))
    assert.deepEqual(
      entered.map(({ status }) => status).filter((status) => status === 200),
      [200],
    )

    const people = ['ben', 'cleo', 'dan']
    const askers: Asker[] = []
    for (const name of people) {
      await house.database.transact(() =>
        insertPerson({
          ...{ id: Buffer.from(name.padEnd(12)).toString('hex'), tenant: 'demo', name, displayName: name },
          ...{ email: undefined, roles: ['clerk'], state: 'active', epoch: 1, createdAt: house.clock.now() },
        }),
      )
      const { code } = good(await house.ask('POST', '/v1/invitations', { person: name }, owner.asker)).body
      const claim = () => house.ask('POST', '/v1/enrolments', { kind: 'invitation', code })
      const claims = await Promise.all([claim(), claim(), claim()])
      const won = claims.filter(({ status }) => status === 200)
      assert.equal(won.length, 1)
      const keys = [new Passkey(-7), new Passkey(-8)]
      await enrol(house, won[0]?.body.enrolment as string, keys)
      askers.push({ cookie: good(await signIn(house, keys[0] as Passkey)).cookie })
    }

    good(await house.ask('PUT', '/v1/recovery-plan', { needed: 2, helpers: people }, owner.asker))
    const wishes = await Promise.all([1, 2].map(() => house.ask('POST', '/v1/recoveries', { person: 'ada' })))
    for (const wish of wishes)
      await Promise.all(
        askers.map(async (asker) =>
          good(await house.ask('POST', `/v1/recoveries/${wish.body.id as string}/approve`, {}, asker)),
        ),
      )
    house.clock.pass(72 * 3_600_000)
    const complete = ({ body }: (typeof wishes)[number]) =>
      house.ask('POST', `/v1/recoveries/${body.id as string}/complete`, { secret: body.secret })
    const completed = await Promise.all([...wishes, ...wishes].map(complete))
    assert.equal(completed.filter(({ status }) => status === 200).length, 1)

    const enrolment = completed.find(({ status }) => status === 200)?.body.enrolment as string
    const fresh = [new Passkey(-7), new Passkey(-7)]
    const asker = await enrol(house, enrolment, fresh)
    const removed = await Promise.all(
      fresh.map((one) => house.ask('DELETE', `/v1/passkeys/${one.id.toString('base64url')}`, undefined, asker)),
    )
    assert.deepEqual(
      removed.map(({ status }) => status).sort((a, b) => a - b),
      [200, 409],
    )

    const guesses = await Promise.all(
      Array.from({ length: 20 }, () =>
        house.ask('POST', '/v1/enrolments', { kind: 'admin', code: 'AAAA-AAAA-AAAA', name: 'eve' }),
      ),
    )
    const codes = guesses.map(({ body }) => body.code as string)
    assert.equal(codes.filter((code) => code === 'admin.code').length, 10, codes.join())
  } finally {
    await house.close()
    await server.stop()
  }
})
