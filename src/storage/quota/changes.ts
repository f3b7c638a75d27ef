import { utf8 } from '#kernel'
import type { CurrentObject, StoredPart } from '../index/objects.store.ts'
import type { Change } from './account.ts'
import { objectPlace, uploadPlace } from './scopes.ts'

type Sized = { key: string; size: number }

/** An object takes the place of another one, or of none. */
export function objectChange(bucket: string, { key, size }: Sized, current: CurrentObject | undefined): Change {
  const place = objectPlace(bucket, utf8(key))
  return { place, bytes: size - (current?.size ?? 0), objects: current ? 0 : 1 }
}

export function deletion(bucket: string, { key, size }: Sized): Change {
  return { place: objectPlace(bucket, utf8(key)), bytes: -size, objects: -1 }
}

/** Parts of an upload that is not finished count as bytes. @param parts that go */
export function partsGone(bucket: string, upload: string, parts: readonly Pick<StoredPart, 'size'>[]): Change {
  const bytes = parts.reduce((sum, { size }) => sum + size, 0)
  return { place: uploadPlace(bucket, upload), bytes: 0 - bytes, objects: 0 }
}

export function partChange(bucket: string, upload: string, size: number, earlier: number): Change {
  return { place: uploadPlace(bucket, upload), bytes: size - earlier, objects: 0 }
}
