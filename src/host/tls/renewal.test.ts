import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { noMetrics } from '#kernel'
import { newKey, testAuthority } from '../../../test/tools/test-authority.ts'
import { openVirtualClock } from '../../../test/tools/virtual-clock.ts'
import { openRenewal } from './renewal.ts'
import { type Issued, keptIdentity, openRoleIdentity } from './role-identity.ts'

const day = 24 * 60 * 60 * 1000
const folder = mkdtempSync(join(tmpdir(), 'pelago-identity-'))
after(() => rmSync(folder, { recursive: true }))
const north = { role: 'provider', id: 'north' } as const

/** A role whose certificate is renewed by an issuer that may be away; time passes hour by hour. */
async function openRole() {
  const clock = openVirtualClock()
  const { pem, issue } = await testAuthority(clock.now())
  const key = newKey()
  const issued = async (id: string = north.id): Promise<Issued> => ({
    certificate: (await issue('provider', id, { key, now: clock.now() })).cert,
    authority: pem,
  })
  const role = keptIdentity({ now: clock.now, keep: () => {} }, north, key, await issued())
  let answer: () => Promise<Issued> = issued
  let asked = 0
  let pending: Promise<unknown> = Promise.resolve()
  const random = { bytes: (length: number) => new Uint8Array(length) }
  const renewal = openRenewal({ clock, random, log: () => {}, metrics: noMetrics }, role, () => {
    asked++
    const answered = answer()
    pending = answered.catch(() => 'the renewal hears of it')
    return answered
  })
  return {
    role,
    renewal,
    issued,
    asked: () => asked,
    answers: (by: () => Promise<Issued>) => void (answer = by),
    async pass(days: number) {
      for (let hours = 0; hours < days * 24; hours++) {
        clock.pass(day / 24)
        await pending
        await new Promise((wake) => setImmediate(wake))
      }
    },
  }
}

test('a certificate is renewed with a third of its life left, and goes on being so', async () => {
  const { role, renewal, asked, pass } = await openRole()
  const first = role.certificate().validToDate
  await pass(19)
  assert.equal(asked(), 0)
  await pass(2)
  assert.equal(asked(), 1)
  assert.ok(role.certificate().validToDate > first)
  await pass(100)
  assert.equal(asked(), 6)
  assert.equal(renewal.check().state, 'good')
  renewal.close()
  await pass(40)
  assert.equal(asked(), 6)
})

test('an issuer that is away is asked again and again, and with a week left the role is not well', async () => {
  const { renewal, role, issued, asked, pass, answers } = await openRole()
  answers(() => Promise.reject(new Error('nobody answers')))
  await pass(21)
  assert.ok(asked() > 5 && asked() < 30, `${asked()} times a day`)
  assert.equal(renewal.check().state, 'warning')
  assert.match(renewal.check().says, /renewing it fails: nobody answers/)
  await pass(3)
  assert.equal(renewal.check().state, 'bad')
  await pass(20)
  assert.equal(renewal.check().state, 'bad')
  // Also an expired one is renewed once the issuer is back.
  answers(issued)
  await pass(1)
  assert.equal(renewal.check().state, 'good')
  assert.ok(role.certificate().validToDate.getTime() > 0)
  renewal.close()
})

test('what was issued to another, or by another, is not shown', async () => {
  const { role, issued } = await openRole()
  const before = role.source.current()
  const south = await issued('south')
  assert.throws(() => role.take(south), { code: 'tls.identity' })
  const other = await (await testAuthority()).issue('provider', 'north', { key: role.key })
  assert.throws(() => role.take({ certificate: other.cert, authority: south.authority }), { code: 'tls.authority' })
  assert.deepEqual(role.source.current(), before)
})

test('an identity is opened from its files and kept in them, for this user alone', async () => {
  const { pem, issue } = await testAuthority()
  const first = await issue('provider', 'north')
  const files = {
    identityFile: join(folder, 'identity.pem'),
    certificateFile: join(folder, 'certificate.pem'),
    authorityFile: join(folder, 'authority.pem'),
  }
  const open = () => openRoleIdentity({ now: Date.now }, files, north)
  writeFileSync(files.identityFile, first.key)
  writeFileSync(files.authorityFile, pem)
  assert.throws(open, { code: 'file.missing' })
  writeFileSync(files.certificateFile, (await issue('provider', 'north')).cert)
  assert.throws(open, { code: 'tls.files' })
  writeFileSync(files.certificateFile, first.cert)
  const role = open()
  assert.equal(role.pin, first.pin)
  const heard: string[] = []
  const stop = role.source.onChange(() => heard.push(role.source.current().cert))
  const next = await issue('provider', 'north', { key: first.privateKey })
  role.take({ certificate: next.cert, authority: pem })
  assert.deepEqual(heard, [next.cert])
  assert.equal(readFileSync(files.certificateFile, 'utf8'), next.cert)
  assert.equal(statSync(files.certificateFile).mode & 0o77, 0)
  stop()
  assert.equal(open().source.current().cert, next.cert)
})
