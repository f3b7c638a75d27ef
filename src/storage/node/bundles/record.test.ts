import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  emptyRecord,
  findRecords,
  type FoundRecord,
  headBytes,
  prefaceBytes,
  readIndex,
  recordBytes,
  type RecordHead,
  sealRecord,
  sizeOf,
  writeIndex,
  writePreface,
} from './record.ts'

const seed = 0xfedcba98
const nameOf = (at: number) => `${at}`.repeat(32)
const heads: RecordHead[] = [
  { kind: 'shard', name: nameOf(1), length: 100 },
  { kind: 'trash', name: nameOf(2), target: 4_000_000_000, day: 20_000 },
  { kind: 'trashed', name: nameOf(3), length: 1, day: 20_001 },
  { kind: 'shard', name: nameOf(4), length: 33 },
]

function record(head: RecordHead, with_ = seed): Uint8Array {
  const bytes = head.kind === 'trash' ? emptyRecord() : new Uint8Array(recordBytes(head.length))
  if (head.kind !== 'trash') bytes.fill(0xab, headBytes, headBytes + head.length)
  sealRecord(bytes, head, with_)
  return bytes
}

const whole = Buffer.concat([writePreface(seed), ...heads.map((head) => record(head))])
const places = heads.reduce<FoundRecord[]>((found, head) => {
  const last = found.at(-1)
  return [...found, { ...head, at: last ? last.at + sizeOf(last) : prefaceBytes }]
}, [])

test('what was written is found', () => {
  assert.deepEqual(findRecords(whole), places)
})

test('of a bundle that ends anywhere the whole records before are found, and nothing else', () => {
  for (let length = 0; length < whole.length; length++) {
    // The zeros that fill a record up may be missing.
    const wanted = places.filter((at) => at.at + headBytes + (at.kind === 'trash' ? 0 : at.length) <= length)
    assert.deepEqual(findRecords(whole.subarray(0, length)), wanted, `${length} bytes`)
  }
})

test('a flipped bit costs at most the record that it is in; in a body of the middle not even that', () => {
  for (let at = prefaceBytes; at < whole.length; at++) {
    const bytes = Buffer.from(whole)
    bytes[at] = (bytes[at] as number) ^ 1
    const hit = places.findLastIndex((place) => place.at <= at)
    const { at: begin } = places[hit] as FoundRecord
    const inHead = at < begin + headBytes
    const length = (heads[hit] as { length?: number }).length ?? 0
    const padding = at >= begin + headBytes + length
    const gone = inHead || (!padding && hit === places.length - 1)
    assert.deepEqual(
      findRecords(bytes),
      places.filter((_, at) => !gone || at !== hit),
      `byte ${at}`,
    )
  }
})

test('a shard that looks like records is none, even where the record around it is torn', () => {
  const forged = record({ kind: 'trash', name: nameOf(1), target: 1, day: 20_000 }, 0)
  const head: RecordHead = { kind: 'shard', name: nameOf(5), length: 200 }
  const around = new Uint8Array(recordBytes(head.length))
  around.set(forged, headBytes)
  sealRecord(around, head, seed)
  const torn = Buffer.concat([whole, around.subarray(0, around.length - 8)])
  assert.deepEqual(findRecords(torn), places)
  const rotten = Buffer.concat([whole, around])
  rotten[whole.length] = 0
  assert.deepEqual(findRecords(rotten), places)
})

test('an index says the same, and is not believed when it is damaged or belongs to another bundle', () => {
  const index = writeIndex(
    heads.map((head) => record(head).subarray(0, headBytes)),
    seed,
  )
  const preface = writePreface(seed)
  assert.deepEqual(readIndex(index, preface), places)
  assert.equal(readIndex(index, writePreface(seed + 1)), undefined)
  for (let at = 0; at < index.length; at++) {
    const bytes = Uint8Array.from(index)
    bytes[at] = (bytes[at] as number) ^ 1
    assert.equal(readIndex(bytes, preface), undefined, `byte ${at}`)
    assert.equal(readIndex(index.subarray(0, at), preface), undefined, `${at} bytes`)
  }
})
