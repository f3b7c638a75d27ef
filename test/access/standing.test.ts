/** Readings that were under way while something was revoked: what they found must not be believed afterwards. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type AccessPorts, changeKey, createKey, createPerson, createTenant, openStanding, staleMost } from '#access'
import type { Body, Database } from '#kernel'
import { openVirtualClock } from '../tools/virtual-clock.ts'
import { openAccessHouse } from './open-access.ts'

const call = { actor: 'operator', tenant: 'demo' }
const clock = openVirtualClock()
let house: Awaited<ReturnType<typeof openAccessHouse>>
before(async () => {
  house = await openAccessHouse({ clock })
  await createTenant(house.access.acts, call, { id: 'demo' })
  await createPerson(house.access.acts, call, { name: 'ada', roles: ['owner'] })
})
after(() => house.close())

const newKey = async () => (await createKey(house.access.acts, call, { person: 'ada' })).key.id

/** A process of its own, whose next reading finds out at once and is answered when it is told to be. */
function openSlow() {
  let [held, release]: [Promise<void> | undefined, () => void] = [undefined, () => {}]
  const database: Database = {
    ...house.index,
    async read<T>(body: Body<T>): Promise<T> {
      const [wait, found] = [held, house.index.read(body)]
      held = undefined
      const value = await found
      await wait
      return value
    },
  }
  const standing = openStanding({ database, keyring: house.access.acts.keyring, clock, log: () => {} })
  return {
    standing,
    acts: { ...house.access.acts, changed: standing.changed } satisfies AccessPorts,
    hold() {
      held = new Promise<void>((resolve) => {
        release = resolve
      })
      return () => release()
    },
  }
}
/** Reads that are not held have their turn. */
const turns = async () => {
  for (let at = 0; at < 50; at++) await new Promise<void>((turn) => void setImmediate(turn))
}

test('a key that was read before a change is not kept when the change is known before the answer', async () => {
  const { standing, hold } = openSlow()
  const [revoked, other] = [await newKey(), await newKey()]
  await standing.find(other, undefined)
  const answer = hold()
  const asked = standing.find(revoked, undefined)
  await turns()
  // Another process revokes it, and this one learns that something has changed.
  await changeKey(house.access.acts, call, revoked, 'disabled')
  clock.pass(staleMost)
  await standing.find(other, undefined)
  answer()
  await asked
  assert.equal(await standing.find(revoked, undefined), undefined)
})

test('a process obeys at once what was revoked through it, whatever it was reading then', async () => {
  const { standing, hold, acts } = openSlow()
  const revoked = await newKey()
  assert.ok(await standing.find(revoked, undefined))
  clock.pass(staleMost)
  const answer = hold()
  const asked = standing.find(revoked, undefined)
  await turns()
  await changeKey(acts, call, revoked, 'disabled')
  answer()
  await asked
  assert.equal(await standing.find(revoked, undefined), undefined)
})
