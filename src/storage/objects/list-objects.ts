import { compareBytes, type Row, type Statement, utf8 } from '#kernel'
import { getBucket } from '../index/buckets.store.ts'
import { objectsFrom } from '../index/objects.store.ts'
import type { ListEntry, ListInput, ListPage } from '../object.ts'

/** Rows are fetched in growing pages: one after a common prefix was met (the next seek skips the rest), many among plain keys. */
const pageMax = 1000
const pageAfterPrefix = 2

/**
 * One page of a bucket's keys in UTF-8 byte order, keys that share `prefix…delimiter` rolled up into one entry.
 * A skip-scan: behind a rolled-up prefix it seeks to the prefix's successor instead of reading what lies under it.
 */
export function* listObjects(tenant: string, input: ListInput): Generator<Statement, ListPage, Row[]> {
  const bucket = yield* getBucket(tenant, input.bucket)
  const entries: ListEntry[] = []
  const end = successor(utf8(input.prefix))
  let from = utf8(input.prefix)
  let inclusive = true
  if (input.after !== '') {
    const rolled = rollUp(input.after, input.prefix, input.delimiter)
    const after = rolled === undefined ? utf8(input.after) : successor(utf8(rolled))
    if (after === undefined) return { entries }
    if (compareBytes(after, from) >= 0) {
      from = after
      inclusive = rolled !== undefined
    }
  }
  let last = ''
  let limit = Math.min(pageMax, input.limit + 1)
  while (true) {
    if (end && compareBytes(from, end) >= 0) return { entries }
    const rows = yield* objectsFrom(bucket.id, from, inclusive, end, limit)
    let sought = false
    for (const info of rows) {
      if (entries.length >= input.limit) return { entries, next: last }
      const prefix = rollUp(info.key, input.prefix, input.delimiter)
      if (prefix === undefined) {
        entries.push({ kind: 'object', info })
        last = info.key
        continue
      }
      entries.push({ kind: 'prefix', prefix })
      last = prefix
      const next = successor(utf8(prefix))
      if (next === undefined) return { entries }
      from = next
      inclusive = true
      sought = true
      break
    }
    if (sought) {
      limit = Math.min(limit, pageAfterPrefix)
      continue
    }
    if (rows.length < limit) return { entries }
    const lastRow = rows[rows.length - 1]
    if (!lastRow) return { entries }
    from = utf8(lastRow.key)
    inclusive = false
    limit = Math.min(pageMax, limit * 4)
  }
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
