import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Row, Statement } from '#kernel'
import { getBucket } from '../src/storage/index/buckets.store.ts'
import { deleteObjectRow, findCurrent, findObjectIn, putObjectRow } from '../src/storage/index/objects.store.ts'
import { listObjects } from '../src/storage/objects/list-objects.ts'
import { bucket, fillIndex, type FullIndex, objectOf, tenant } from './index-database.ts'

type Step<T> = Generator<Statement, T, Row[]>

const usage = 'npm run bench -- index [--objects N] [--folder DIR]'
const small = 100_000
const listed = 1_000_000
const page = 1000
const batch = 16
const rounds = 60
const warmUp = 10

/** Ratios that must hold, and that are aimed at. */
const listMust = 20
const listAim = 5
const slopeMust = 1.3
const slopeAim = 1.1

/**
 * How the object index behaves as it grows: listing with a delimiter beside a flat page, and each operation on ten million
 * objects beside the same on a hundred thousand, taking turns.
 * @param args `--objects N` for fewer than ten million, `--folder DIR` for the files (3 GB for ten million; removed afterwards)
 * @returns verdicts
 */
export async function benchIndex(
  args: string[],
  say: (line: string) => void,
): Promise<{ passed: number; failed: number }> {
  const options = {
    objects: { type: 'string', default: '10000000' },
    folder: { type: 'string', default: tmpdir() },
  } as const
  const { values } = parseArgs({ args, options })
  const objects = Number(values.objects)
  if (!Number.isSafeInteger(objects) || objects < small) throw new RangeError(`${usage}: N is a number from ${small}`)
  const folder = mkdtempSync(join(values.folder, 'pelago-bench-'))
  const count = { passed: 0, failed: 0 }
  const judge = (what: string, ratio: number, must: number, aim: number) => {
    const good = ratio <= must
    count[good ? 'passed' : 'failed']++
    const aimed = ratio <= aim ? `, within the aim of ${aim}` : good ? `, not the aim of ${aim}` : ''
    say(`${good ? 'passed' : 'FAILED'}: ${what}: ${ratio.toFixed(2)} (at most ${must}${aimed})`)
  }
  const fill = async (name: string, size: number) => {
    const began = performance.now()
    const index = await fillIndex(join(folder, name), size)
    say(`${size} objects made in ${((performance.now() - began) / 1000).toFixed(0)} s`)
    return index
  }
  try {
    const flat = await fill('listed', Math.min(listed, objects))
    const [plain, rolled] = await compare(
      () => listFlat(flat),
      () => listPrefixes(flat),
    )
    await flat.database.close()
    say(`LIST of ${page}: ${us(plain)} flat, ${us(rolled)} of prefixes`)
    judge(`LIST of ${page} prefixes over ${flat.objects} keys / a flat page`, rolled / plain, listMust, listAim)

    const indexes = [await fill('small', small), await fill('large', objects)] as const
    for (const [name, act] of Object.entries(operations)) {
      const [less, more] = await compare(
        () => act(indexes[0]),
        () => act(indexes[1]),
      )
      say(`${name}: ${us(less)} among ${small}, ${us(more)} among ${objects}`)
      judge(`${name} among ${objects} / among ${small}`, more / less, slopeMust, slopeAim)
    }
    for (const { database } of indexes) await database.close()
  } finally {
    rmSync(folder, { recursive: true })
  }
  say(`${count.passed} passed, ${count.failed} failed`)
  return count
}

/** Each resolves with how many times it did what it is named after. */
const operations: Record<string, (index: FullIndex) => Promise<number>> = {
  [`commit of a put, ${batch} at once`]: async ({ database, keyOf, objects }) => {
    const puts = Array.from({ length: batch }, () => {
      const version = randomBytes(16).toString('hex')
      const key = `${keyOf(below(objects))}-${version}`
      return database.transact(function* (): Step<void> {
        const { id } = yield* getBucket(tenant, bucket.name)
        yield* putObjectRow(id, objectOf(key, version), yield* findCurrent(id, key), 0)
      })
    })
    await Promise.all(puts)
    return batch
  },
  'look at an object': async ({ database, keyOf, objects }) => {
    const times = 200
    for (let time = 0; time < times; time++) {
      const key = keyOf(below(objects))
      await database.read(function* () {
        return (yield* findObjectIn(tenant, bucket.name, key)).object
      })
    }
    return times
  },
  [`delete, ${batch} at once`]: async ({ database, keyOf, objects }) => {
    const deletes = Array.from({ length: batch }, () => {
      const key = keyOf(below(objects))
      return database.transact(function* (): Step<void> {
        const { id } = yield* getBucket(tenant, bucket.name)
        const object = yield* findCurrent(id, key)
        if (object) yield* deleteObjectRow(id, object, 0)
      })
    })
    await Promise.all(deletes)
    return batch
  },
  [`LIST of ${page}`]: listFlat,
}

async function listFlat({ database, keyOf, objects }: FullIndex): Promise<number> {
  const after = keyOf(below(objects - 2 * page))
  const input = { bucket: bucket.name, prefix: '', delimiter: '', after, limit: page }
  const { entries } = await database.read(() => listObjects(tenant, input))
  if (entries.length !== page) throw new Error(`a page of ${entries.length} objects`)
  return 1
}

async function listPrefixes({ database }: FullIndex): Promise<number> {
  const input = { bucket: bucket.name, prefix: '', delimiter: '/', after: '', limit: page }
  const { entries } = await database.read(() => listObjects(tenant, input))
  if (entries.some(({ kind }) => kind !== 'prefix')) throw new Error('a key that has a prefix was listed')
  return 1
}

/**
 * Milliseconds per operation of each, taking turns; the first turns do not count. The lower quartile: what else happens on the
 * machine only ever adds, and adds more to whoever is unlucky.
 */
async function compare(first: () => Promise<number>, second: () => Promise<number>): Promise<[number, number]> {
  const found: [number[], number[]] = [[], []]
  for (let round = -warmUp; round < rounds; round++) {
    for (const [at, act] of [first, second].entries()) {
      const began = performance.now()
      const done = await act()
      if (round >= 0) found[at]?.push((performance.now() - began) / done)
    }
  }
  const [one, other] = found.map((all) => all.sort((a, b) => a - b)[Math.floor(all.length / 4)] ?? Number.NaN)
  return [one ?? Number.NaN, other ?? Number.NaN]
}

const below = (limit: number) => Math.floor(Math.random() * limit)
const us = (ms: number) => `${(ms * 1000).toFixed(1)} us`
