import { freshName, type Ground } from '../ground.ts'
import type { Body, Bucket } from '../object.ts'

/** Whether the MD5 of a body must be computed: for its ETag, or because nothing else vouches for its bytes. */
export function needsMd5({ etags }: Bucket, { vouched }: Body): boolean {
  return etags === 'md5' || vouched !== true
}

/**
 * The ETag of a body: its MD5; without one a fresh name, so that no two writes share an ETag, with the ending `-0`. Clients
 * take an ETag with a hyphen for no MD5, and no object is made of no parts.
 */
export function etagOf(ground: Pick<Ground, 'random'>, md5: Uint8Array | undefined): string {
  return md5 ? Buffer.from(md5).toString('hex') : `${freshName(ground)}-0`
}
