import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  appendFact,
  checkProof,
  journalMigrations,
  keyOfShown,
  listHeads,
  listLog,
  openLogCheck,
  openSealedLog,
  parseHead,
  proofText,
  proveEntry,
  type SealedLog,
  type SeenEntry,
  showLog,
} from '#journal'
import type { Database } from '#kernel'
import { openSqlite } from '../../src/host/database/sqlite.ts'
import { verifyProofFile } from '../tools/log-verifier.ts'
import { memoryHead } from '../tools/memory-head.ts'

const journal = { nameKey: randomBytes(32) }
const root = randomBytes(32)
const mine = { tenant: 'mine' }
let folder: string
let database: Database
let log: SealedLog
let name: string

/** A log of 21 entries of two tenants, with three keys and a head after every few. */
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pelago-proofs-'))
  database = await openSqlite({
    file: join(folder, 'log.db'),
    schemas: [{ component: 'journal', migrations: journalMigrations }],
  })
  log = await openSealedLog({
    ...{ database, journal, log: () => {}, kept: memoryHead() },
    clock: { now: () => Date.now(), after: () => () => {} },
    random: { bytes: (length) => randomBytes(length) },
    secret: async (secret) => createHmac('sha256', root).update(secret).digest(),
  })
  for (let at = 0; at < 19; at++) {
    await database.transact(() =>
      appendFact(journal, {
        ...{ topic: 'bucket.deleted', about: randomBytes(16).toString('hex'), at: at + 1, actor: 'anna' },
        ...{ tenant: at % 5 === 4 ? 'theirs' : 'mine', facts: { name: `bucket ${at}` } },
      }),
    )
    if (at % 3 === 0) await log.seal()
    if (at === 7 || at === 13) await log.rotate('operator')
  }
  await log.seal()
  name = (await showLog({ database })).log
})
after(async () => {
  await log.stop()
  await database.close()
  await rm(folder, { recursive: true })
})

const prove = async (sequence: number, earlier?: number) =>
  proofText(await proveEntry({ database, journal }, mine, { sequence, earlier }))

test('the product and a program of somebody else believe every proof, from every earlier head', async () => {
  const { heads } = await listHeads({ database }, { after: 0, limit: 100 })
  assert.ok(heads.length > 8)
  let proofs = 0
  for (let sequence = 1; sequence <= 21; sequence++) {
    const { entries } = await listLog({ database, journal }, mine, { after: sequence - 1, limit: 1 })
    if (!entries[0]?.entry) {
      await assert.rejects(prove(sequence), { code: 'log.hidden' })
      continue
    }
    for (const { size } of heads) {
      const text = await prove(sequence, size)
      assert.deepEqual(verifyProofFile(Buffer.from(text), name), entries[0].entry)
      assert.deepEqual(
        checkProof(text, name).checks.filter(({ fault }) => fault !== undefined),
        [],
      )
      proofs++
    }
  }
  assert.ok(proofs > 100)
  await assert.rejects(prove(22), { code: 'log.missing' })
  await assert.rejects(prove(1, 2), { code: 'log.unheaded' })
})

test('whichever byte of a proof is changed, neither believes it', async () => {
  const good = Buffer.from(await prove(10, 8))
  verifyProofFile(good, name)
  for (let at = 0; at < good.length; at++) {
    for (const change of [1, 0x80]) {
      const bent = Buffer.from(good)
      bent[at] = (bent[at] as number) ^ change
      assert.throws(() => verifyProofFile(bent, name), `byte ${at}`)
      const { checks } = checkProof(bent.toString(), name)
      assert.ok(
        checks.some(({ fault }) => fault !== undefined),
        `byte ${at}`,
      )
    }
  }
  for (let length = 0; length < good.length; length += 13)
    assert.throws(() => verifyProofFile(good.subarray(0, length), name))
})

test('a proof of another log, entry or head is not taken for this one', async () => {
  const [one, two] = [JSON.parse(await prove(2, 1)), JSON.parse(await prove(9, 8))] as Record<string, unknown>[]
  assert.throws(() => verifyProofFile(Buffer.from(proofText(one as never)), '0'.repeat(32)))
  assert.equal(checkProof(proofText(one as never), '0'.repeat(32)).checks[0]?.fault === undefined, false)
  for (const field of ['entry', 'inclusion', 'earlier', 'consistency']) {
    const mixed = proofText({ ...one, [field]: two?.[field] } as never)
    assert.throws(() => verifyProofFile(Buffer.from(mixed), name), field)
    assert.ok(
      checkProof(mixed, name).checks.some(({ fault }) => fault !== undefined),
      field,
    )
  }
})

async function checkAll(bend: (log: { entries: SeenEntry[]; heads: string[]; kept: string | undefined }) => void) {
  const { keys } = await showLog({ database })
  const { entries } = await listLog({ database, journal }, mine, { after: 0, limit: 100 })
  const { heads } = await listHeads({ database }, { after: 0, limit: 100 })
  const all = { entries: structuredClone(entries), heads: heads.map(({ note }) => note), kept: log.kept() }
  bend(all)
  const check = openLogCheck(keys.map((key) => keyOfShown(key) as NonNullable<ReturnType<typeof keyOfShown>>))
  for (const note of all.heads) check.head(note)
  for (const entry of all.entries) check.entry(entry)
  return check.end(all.kept).filter(({ fault }) => fault !== undefined)
}

test('the whole log holds, and whatever is changed in it is noticed', async () => {
  assert.deepEqual(await checkAll(() => {}), [])
  const noticed = async (bend: Parameters<typeof checkAll>[0]) => assert.notDeepEqual(await checkAll(bend), [])
  for (let at = 0; at < 21; at++) {
    await noticed(({ entries }) => void entries.splice(at, 1))
    await noticed(({ entries }) => void (entries[at] = { ...(entries[at] as SeenEntry), hash: 'a'.repeat(64) }))
    await noticed(({ entries }) => {
      const { entry } = entries[at] as SeenEntry
      if (entry) entry.actor = 'somebody'
      else (entries[at] as SeenEntry).hash = '0'.repeat(64)
    })
    if (at > 0)
      await noticed(
        ({ entries }) => void entries.splice(at - 1, 2, entries[at] as SeenEntry, entries[at - 1] as SeenEntry),
      )
  }
  await noticed(({ entries }) => void entries.pop())
  await noticed(({ heads }) => void heads.pop())
  await noticed((all) => void (all.kept = undefined))
  const { heads } = await listHeads({ database }, { after: 0, limit: 100 })
  for (const [at, { note }] of heads.entries()) {
    for (let byte = 0; byte < note.length; byte++) {
      const bent = note.slice(0, byte) + String.fromCharCode(note.charCodeAt(byte) ^ 1) + note.slice(byte + 1)
      assert.equal((await checkedHead(bent)) ?? 'not a head', 'not a head', `head ${at}, character ${byte}`)
    }
  }
})

/** The size of a head that would be believed. */
async function checkedHead(note: string): Promise<number | undefined> {
  const failed = await checkAll((all) => void all.heads.splice(0, all.heads.length, note))
  return failed.some(({ says }) => says.includes('signed heads')) ? undefined : parseHead(note)?.size
}

test('of another tenant only the hash is shown, and a name is found by who has the key', async () => {
  const ports = { database, journal }
  const { entries } = await listLog(ports, mine, { after: 0, limit: 100 })
  assert.equal(entries.filter(({ entry }) => entry === null).length, 3)
  const named = await listLog(ports, mine, { after: 0, limit: 10, name: 'bucket 3' })
  assert.equal(named.entries.length, 1)
  assert.equal((await listLog(ports, mine, { after: 0, limit: 10, name: 'bucket 4' })).entries.length, 0)
  assert.equal(
    (await listLog(ports, { tenant: 'theirs' }, { after: 0, limit: 10, name: 'bucket 4' })).entries.length,
    1,
  )
  const stranger = { database, journal: { nameKey: randomBytes(32) } }
  assert.equal((await listLog(stranger, mine, { after: 0, limit: 10, name: 'bucket 3' })).entries.length, 0)
  assert.equal((await listLog(ports, mine, { after: 0, limit: 100, name: 'anna' })).entries.length, 16)
  assert.doesNotMatch(JSON.stringify(entries), /anna|bucket [0-9]/)
})
