import type { Row, Statement } from '#kernel'
import { storageError } from '../errors.ts'
import type { Ground } from '../ground.ts'
import { newestDirectory, raiseDirectory } from '../index/directory.store.ts'

/**
 * Part of every commit that says where something new lies: nothing commits that was judged by a directory of which some
 * gateway has a newer one already. A provider that was suspended meanwhile may not be in that one any more.
 * @param judged version of the directory by which the holders were judged
 * @throws directory.older
 */
export function* checkDirectory(judged: number): Generator<Statement, void, Row[]> {
  const newest = yield* newestDirectory()
  if (newest > judged) throw storageError('directory.older', { version: judged, newest })
  if (newest < judged) yield* raiseDirectory(judged)
}

/** Tells the other gateways which directory this one has, once for each version. */
export function openDirectoryNote(ground: Pick<Ground, 'index' | 'directory'>): () => Promise<void> {
  let noted = 0
  return async () => {
    const { version } = ground.directory()
    if (version === noted) return
    await ground.index.transact(() => raiseDirectory(version))
    noted = version
  }
}
