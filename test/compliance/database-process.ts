/** `database-process.ts FILE`: commits and says so, line by line, for whoever traces it, until the log began anew three times. */
import { writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { sql } from '#kernel'
import { openSqlite } from '../../src/host/database/sqlite.ts'

const file = process.argv[2] as string
const schemas = [
  { component: 'test', migrations: [{ id: 1, name: 'one', statements: ['CREATE TABLE t (a {int}, b {blob})'] }] },
]
const database = await openSqlite({ file, schemas, logPages: 64 })
const onlooker = new DatabaseSync(file)
const pages = onlooker.prepare('PRAGMA wal_checkpoint(NOOP)')
writeSync(1, 'ready\n')
for (let [round, last, begun] = [0, 0, 0]; begun < 3; round++) {
  const bodies = Array.from({ length: 1 + (round % 4) }, (_, at) => () => insert(round * 4 + at))
  await Promise.all(bodies.map((body) => database.transact(body)))
  writeSync(1, 'ack\n')
  const now = Number(pages.get()?.log)
  if (now < last) begun++
  last = now
}
writeSync(1, 'done\n')
onlooker.close()
await database.close()

function* insert(value: number) {
  yield sql`INSERT INTO t (a, b) VALUES (${value}, ${Buffer.alloc(10_000, value)})`
}
