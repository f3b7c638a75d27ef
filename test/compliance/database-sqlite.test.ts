import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { type Database, type Row, type Statement, sql } from '#kernel'
import { type LogFile, openLogFile, openLogSync } from '../../src/host/database/log-file.ts'
import { openConnection } from '../../src/host/database/sqlite-connection.ts'
import { openSqlite } from '../../src/host/database/sqlite.ts'

const strace = '/usr/bin/strace'
const schemas = [
  { component: 'test', migrations: [{ id: 1, name: 'one', statements: ['CREATE TABLE t (a {int}, b {blob})'] }] },
]

type Step<T> = Generator<Statement, T, Row[]>
function* insert(value: number, bytes = 0): Step<void> {
  yield sql`INSERT INTO t (a, b) VALUES (${value}, ${Buffer.alloc(bytes, value)})`
}
function* count(): Step<number> {
  const [row] = yield sql`SELECT COUNT(*) AS n FROM t`
  return Number(row?.n)
}

/** A log whose syncs end when the test says so. */
function heldLog() {
  const held: { end(): void; fail(error: Error): void }[] = []
  let hold = false
  const open = async (database: string): Promise<LogFile> => {
    const real = await openLogFile(database)
    return {
      async sync() {
        if (hold) await new Promise<void>((resolve, reject) => held.push({ end: resolve, fail: reject }))
        await real.sync()
      },
      close: real.close,
    }
  }
  return {
    ...{ open, held },
    hold: (on: boolean) => {
      hold = on
    },
  }
}

const turns = async (times: number) => {
  for (let turn = 0; turn < times; turn++) await new Promise((resolve) => setImmediate(resolve))
}
/** Whether a promise has settled, as a value that can be looked at. */
function watched<T>(promise: Promise<T>): { settled(): boolean; promise: Promise<T> } {
  let settled = false
  const set = () => {
    settled = true
  }
  promise.then(set, set)
  return { settled: () => settled, promise }
}

describe('SQLite and the disk beneath it', () => {
  let folder: string
  let file: string
  let open: Database[]
  const start = async (input: Partial<Parameters<typeof openSqlite>[0]> = {}) => {
    const database = await openSqlite({ file, schemas, ...input })
    open.push(database)
    return database
  }
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pelago-sqlite-'))
    file = join(folder, 'a.db')
    open = []
  })
  afterEach(async () => {
    await Promise.all(open.map((database) => database.close()))
    await rm(folder, { recursive: true })
  })

  test('the loop turns while a commit is synced; nobody is told of it before, and who comes meanwhile shares the next sync', async () => {
    const log = heldLog()
    const database = await start({ openLogFile: log.open })
    log.hold(true)
    const first = watched(database.transact(() => insert(1)))
    await turns(20)
    assert.equal(log.held.length, 1)
    const later = [2, 3, 4].map((value) => watched(database.transact(() => insert(value))))
    assert.equal(await database.read(count), 0, 'readers see what is on the disk')
    await turns(20)
    assert.equal(log.held.length, 1, 'one sync at a time')
    assert.ok(![first, ...later].some(({ settled }) => settled()), 'nobody is told anything yet')
    log.held[0]?.end()
    await first.promise
    assert.equal(await database.read(count), 1)
    while (log.held.length < 2) await turns(1)
    await turns(20)
    assert.equal(log.held.length, 2, 'three transactions share a sync')
    assert.ok(!later.some(({ settled }) => settled()))
    assert.equal(await database.read(count), 1)
    log.hold(false)
    log.held[1]?.end()
    await Promise.all(later.map(({ promise }) => promise))
    assert.equal(await database.read(count), 4)
  })

  test('what fails because of a commit that is being synced says so only afterwards', async () => {
    const log = heldLog()
    const database = await start({ openLogFile: log.open })
    log.hold(true)
    const winner = watched(database.transact(() => insert(1)))
    const loser = watched(
      database.transact(function* (): Step<void> {
        if ((yield* count()) > 0) throw new Error('taken')
      }),
    )
    await turns(20)
    assert.equal(log.held.length, 1)
    assert.ok(!winner.settled() && !loser.settled())
    log.hold(false)
    log.held[0]?.end()
    await winner.promise
    await assert.rejects(loser.promise, /taken/)
  })

  test('who asks for a sync while one runs gets a later one', async () => {
    const ends: (() => void)[] = []
    const file = { sync: () => new Promise<void>((resolve) => ends.push(resolve)), close: async () => {} }
    const log = openLogSync(file)
    const first = watched(log.sync())
    const [second, third] = [watched(log.sync()), watched(log.sync())]
    ends[0]?.()
    await first.promise
    await turns(5)
    assert.ok(!second.settled() && !third.settled())
    assert.equal(ends.length, 2)
    ends[1]?.()
    await Promise.all([second.promise, third.promise])
    assert.equal(log.owed(), undefined)
    await log.close()
  })

  test('transactions that change nothing need no sync', async () => {
    const log = heldLog()
    const database = await start({ openLogFile: log.open })
    await database.transact(() => insert(1))
    log.hold(true)
    assert.equal(await database.transact(count), 1)
    assert.equal(await database.read(count), 1)
    assert.equal(log.held.length, 0)
  })

  test('after a sync that failed the outcome is unknown, and nothing more is read or written', async () => {
    const log = heldLog()
    const database = await start({ openLogFile: log.open })
    log.hold(true)
    const writer = database.transact(() => insert(1))
    await turns(20)
    const next = database.transact(() => insert(2))
    log.held[0]?.fail(Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' }))
    await assert.rejects(writer, { code: 'database.uncertain' })
    await assert.rejects(next, { code: 'database.unsynced' })
    await assert.rejects(database.transact(count), { code: 'database.unsynced', message: /EIO/ })
    await assert.rejects(database.read(count), { code: 'database.unsynced' })
  })

  test('a lock of another process stops writers, not the loop, and for a bounded time', async () => {
    const database = await start({ busyMs: 200 })
    const other = new DatabaseSync(file)
    other.exec('BEGIN IMMEDIATE')
    const writer = watched(database.transact(() => insert(1)))
    await turns(50)
    assert.ok(!writer.settled())
    assert.equal(await database.read(count), 0)
    await assert.rejects(writer.promise, { code: 'database.busy' })
    const patient = database.transact(() => insert(2))
    await turns(50)
    other.exec('COMMIT')
    other.close()
    await patient
    assert.equal(await database.read(count), 1)
  })

  test('what another process has committed and perhaps not synced is synced before it is told', async () => {
    const log = heldLog()
    const database = await start({ openLogFile: log.open })
    const other = new DatabaseSync(file)
    other.exec('PRAGMA synchronous = OFF; INSERT INTO t (a) VALUES (1)')
    log.hold(true)
    const reader = watched(database.read(count))
    await turns(20)
    assert.equal(log.held.length, 1)
    assert.ok(!reader.settled())
    log.held[0]?.end()
    assert.equal(await reader.promise, 1)
    other.exec('INSERT INTO t (a) VALUES (2)')
    other.close()
    const looker = watched(database.transact(count))
    await turns(20)
    assert.equal(log.held.length, 2)
    const second = watched(database.read(count))
    await turns(20)
    assert.ok(!looker.settled() && !second.settled())
    log.hold(false)
    log.held[1]?.end()
    assert.equal(await looker.promise, 2)
    assert.equal(await second.promise, 2)
    assert.equal(await database.read(count), 2)
  })

  test('what another process wrote is not shown beside a commit either, before it is synced', async () => {
    const log = heldLog()
    const database = await start({ openLogFile: log.open })
    const other = new DatabaseSync(file)
    other.exec('PRAGMA synchronous = OFF; INSERT INTO t (a) VALUES (1)')
    log.hold(true)
    const readers = [watched(database.read(count))]
    const writer = watched(database.transact(() => insert(2)))
    await turns(20)
    readers.push(watched(database.read(count)))
    other.exec('INSERT INTO t (a) VALUES (3)')
    other.close()
    readers.push(watched(database.read(count)))
    await turns(20)
    assert.ok(![writer, ...readers].some(({ settled }) => settled()))
    log.hold(false)
    log.held[0]?.end()
    await writer.promise
    assert.deepEqual(await Promise.all(readers.map(({ promise }) => promise)), [1, 2, 3])
  })

  test('the log stays short under writers that never pause, and nothing is lost when it begins anew', async () => {
    const database = await start({ logPages: 32 })
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let turn = 0; turn < 100; turn++) await database.transact(() => insert(writer * 1000 + turn, 20_000))
    })
    await Promise.all(writers)
    const written = 800 * 20_000
    const { size } = await stat(`${file}-wal`)
    assert.ok(size < written / 4, `${size} bytes of log for ${written} bytes of rows`)
    await database.close()
    const again = await start()
    assert.equal(await again.read(count), 800)
  })

  test('a log that begins anew is safe whichever of its sectors reach the disk', async () => {
    const connection = openConnection(file, 1000)
    const commit = (body: () => Step<void>) => connection.commit([body])
    const raise = function* (): Step<void> {
      yield sql`UPDATE t SET a = a + 1`
    }
    commit(function* () {
      yield sql`CREATE TABLE t (a INTEGER, b BLOB)`
      yield* insert(1, 3500)
    })
    connection.checkpoint()
    // The log begins with a whole transaction on one page that a later one has overtaken: what must not come back.
    commit(raise)
    commit(raise)
    connection.checkpoint()
    assert.deepEqual(connection.position(), { pages: 2, copied: 2 })
    const before = await readFile(`${file}-wal`)
    connection.restartLog()
    assert.deepEqual(connection.position(), { pages: 1, copied: 0 })
    const after = await readFile(`${file}-wal`)
    const sector = 512
    const changed = Array.from({ length: Math.ceil(after.length / sector) }, (_, at) => at * sector).filter(
      (at) => !before.subarray(at, at + sector).equals(after.subarray(at, at + sector)),
    )
    assert.ok(changed.length > 2)
    const copy = join(folder, 'copy.db')
    for (let subset = 0; subset < 2 ** changed.length; subset++) {
      const mixed = Buffer.from(before)
      for (const [bit, at] of changed.entries()) if ((subset >> bit) & 1) after.copy(mixed, at, at, at + sector)
      cpSync(file, copy)
      await writeFile(`${copy}-wal`, mixed)
      const crashed = new DatabaseSync(copy)
      crashed.exec('PRAGMA synchronous = OFF')
      assert.deepEqual({ ...crashed.prepare('SELECT a FROM t').get() }, { a: 3 })
      assert.deepEqual({ ...crashed.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' })
      crashed.close()
    }
    connection.close()
  })

  test('each acknowledgement is covered by a sync of the log, and none is made by the thread that turns the loop', {
    skip: !existsSync(strace) && 'strace is not installed; enable with: sudo apt-get install -y strace',
  }, async () => {
    const trace = join(folder, 'trace')
    const program = join(import.meta.dirname, 'database-process.ts')
    const words = ['-f', '-y', '-s', '16', '-e', 'trace=pwrite64,fsync,fdatasync,write', '-o', trace]
    const { status, stderr } = spawnSync(strace, [...words, process.execPath, program, file], {
      encoding: 'utf8',
      timeout: 120_000,
    })
    assert.equal(status, 0, stderr)
    const { acks, uncovered, own, copied } = follow((await readFile(trace, 'utf8')).split('\n'), file)
    assert.ok(acks > 10, `${acks} acknowledgements`)
    assert.deepEqual(uncovered, [])
    assert.equal(own, 0, 'syncs on the thread of the loop')
    assert.ok(copied >= 3, `${copied} syncs of the database’s file`)
  })
})

/** Reads a trace: which acknowledgements were written before all that is in the log was synced, and who synced. */
function follow(lines: readonly string[], file: string) {
  let main = ''
  let [written, covered, acks, own, copied] = [0, 0, 0, 0, 0]
  const uncovered: string[] = []
  const begun = new Map<string, number>()
  let measured = false
  for (const line of lines) {
    const [, thread = '', call = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? []
    const said = /^write\(1<.*?"(ready|ack|done)/.exec(call)?.[1]
    if (said === 'ready') [main, measured] = [thread, true]
    if (said === 'done') measured = false
    if (said === 'ack') {
      acks++
      if (covered < written) uncovered.push(line)
    }
    if (call.startsWith('pwrite64(') && call.includes(`${file}-wal>`)) written++
    if (/^f(data)?sync\(/.test(call)) {
      if (measured && thread === main) own++
      if (measured && call.includes(`${file}>`)) copied++
      if (call.includes(`${file}-wal>`)) begun.set(thread, written)
    }
    if (/^(<\.\.\. )?f(data)?sync/.test(call) && call.endsWith(' = 0')) {
      covered = Math.max(covered, begun.get(thread) ?? 0)
      begun.delete(thread)
    }
  }
  return { acks, uncovered, own, copied }
}
