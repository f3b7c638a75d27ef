import { compareBytes, type Row, type Statement, utf8 } from '#kernel'
import { getBucket } from '../index/buckets.store.ts'
import { firstKeyFrom, objectsFrom } from '../index/objects.store.ts'
import type { ListedObject, ListEntry, ListInput, ListPage } from '../object.ts'

/** Rows are fetched in growing pages: few where a common prefix may follow (the next seek skips the rest), many among plain keys. */
const pageMax = 1000
const pageAfterPrefix = 2

/**
 * One page of a bucket's keys in UTF-8 byte order, keys that share `prefix…delimiter` rolled up into one entry.
 * A skip-scan: of a rolled-up prefix only the first key is looked at, then it seeks behind all that the prefix stands for.
 */
export function* listObjects(tenant: string, input: ListInput): Generator<Statement, ListPage, Row[]> {
  const bucket = yield* getBucket(tenant, input.bucket)
  const entries: ListEntry[] = []
  const end = successor(utf8(input.prefix))
  let from = startOf(input)
  if (from === undefined) return { entries }
  let last = ''
  let seeking = input.delimiter !== ''
  let most = pageMax
  while (!end || compareBytes(from, end) < 0) {
    if (seeking) {
      const key: string | undefined = yield* firstKeyFrom(bucket.id, from, end)
      if (key === undefined) return { entries }
      const prefix = rollUp(key, input.prefix, input.delimiter)
      if (prefix !== undefined) {
        if (entries.length >= input.limit) return { entries, next: last }
        entries.push({ kind: 'prefix', prefix })
        last = prefix
        from = successor(utf8(prefix))
        if (from === undefined) return { entries }
        continue
      }
      seeking = false
      most = pageAfterPrefix
    }
    // One more than the page has room for, to know whether there is another.
    const limit = Math.min(most, input.limit - entries.length + 1)
    const rows: ListedObject[] = yield* objectsFrom(bucket.id, from, end, limit)
    for (const info of rows) {
      if (rollUp(info.key, input.prefix, input.delimiter) !== undefined) {
        seeking = true
        break
      }
      if (entries.length >= input.limit) return { entries, next: last }
      entries.push({ kind: 'object', info })
      last = info.key
    }
    if (!seeking && rows.length < limit) return { entries }
    from = behind(last)
    most = Math.min(pageMax, most * 4)
  }
  return { entries }
}

/** Where a page begins; undefined when nothing can follow. */
function startOf({ prefix, delimiter, after }: ListInput): Uint8Array | undefined {
  const first = utf8(prefix)
  if (after === '') return first
  const rolled = rollUp(after, prefix, delimiter)
  const from = rolled === undefined ? behind(after) : successor(utf8(rolled))
  return from && compareBytes(from, first) > 0 ? from : from && first
}

/** The smallest key that is greater than this one. */
function behind(key: string): Uint8Array {
  return utf8(`${key}\0`)
}

/** The common prefix that stands for `key`, or undefined when the key is listed itself. */
export function rollUp(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === '' || !key.startsWith(prefix)) return undefined
  const at = key.indexOf(delimiter, prefix.length)
  return at === -1 ? undefined : key.slice(0, at + delimiter.length)
}

/** The smallest byte string that is greater than every string beginning with `prefix`; undefined when there is none. */
export function successor(prefix: Uint8Array): Uint8Array | undefined {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) return undefined
  const next = prefix.slice(0, length)
  next[length - 1] = (next[length - 1] as number) + 1
  return next
}
