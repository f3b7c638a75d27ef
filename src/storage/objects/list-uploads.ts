import { compareUtf8, type Row, type Statement, utf8 } from '#kernel'
import { getBucket } from '../index/buckets.store.ts'
import { uploadsFrom } from '../index/uploads.store.ts'
import type { ObjectStorage, Upload } from '../object.ts'
import { rollUp, successor } from './list-objects.ts'

type Input = Parameters<ObjectStorage['listUploads']>[1]
type Page = Awaited<ReturnType<ObjectStorage['listUploads']>>

/** Ids are 32 hex digits, so this is behind every id of a key. */
const behindAllIds = '~'

/** One page of a bucket's unfinished uploads, ordered by key and id. */
export function* listUploads(tenant: string, input: Input): Generator<Statement, Page, Row[]> {
  const bucket = yield* getBucket(tenant, input.bucket)
  const uploads: Upload[] = []
  const prefixes: string[] = []
  const end = successor(utf8(input.prefix))
  const resumed = compareUtf8(input.afterKey, input.prefix) > 0
  let key = utf8(resumed ? input.afterKey : input.prefix)
  let id = resumed ? input.afterId || behindAllIds : ''
  const rolledAfter = rollUp(input.afterKey, input.prefix, input.delimiter)
  if (rolledAfter !== undefined) {
    const next = successor(utf8(rolledAfter))
    if (!next) return { uploads, prefixes }
    key = next
    id = ''
  }
  let last = { key: '', id: '' }
  while (true) {
    const rows = yield* uploadsFrom(bucket.id, key, id, end, input.limit + 1)
    let sought = false
    for (const { headers: _, ...upload } of rows) {
      if (uploads.length + prefixes.length >= input.limit) return { uploads, prefixes, next: last }
      const prefix = rollUp(upload.key, input.prefix, input.delimiter)
      if (prefix === undefined) {
        uploads.push(upload)
        last = { key: upload.key, id: upload.id }
        continue
      }
      prefixes.push(prefix)
      last = { key: prefix, id: '' }
      const next = successor(utf8(prefix))
      if (!next) return { uploads, prefixes }
      key = next
      id = ''
      sought = true
      break
    }
    if (!sought) return { uploads, prefixes }
  }
}
