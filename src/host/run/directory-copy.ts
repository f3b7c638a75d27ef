import { createPublicKey, type KeyObject } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { reasonOf, type Clock, type Log } from '#kernel'
import { type Directory, verifyDirectory } from '#pool'
import { hostError } from '../errors.ts'
import type { MemberLink } from './member-link.ts'
import { savePrivateJson } from '../disk/write-file.ts'

/** A revocation must be known within seconds; asking costs next to nothing while nothing has changed. */
const everyMs = 2000
/** Who gets no answer asks less and less often, down to this. */
const longestMs = 15_000
const firstMs = 8000

/** A member's own copy of the directory. It outlives the federation. */
export type DirectoryCopy = { current(): Directory; close(): void }

type Source = { file: string; link: MemberLink; publicKey: string; log: Log; clock: Clock }

/**
 * Opens the copy, and refreshes it from the federation every few seconds. Only the first start needs the federation, and only
 * where joining has brought no directory along.
 * @param onChange called after another version was taken over
 * @throws connect.slow when there is no copy yet and the federation does not answer
 */
export async function openDirectoryCopy(source: Source, onChange: () => void): Promise<DirectoryCopy> {
  const { clock, file, log } = source
  const key = directoryKeyOf(source.publicKey)
  let current = existsSync(file)
    ? verifyDirectory(JSON.parse(readFileSync(file, 'utf8')), key, 0)
    : await firstDirectory(source, key)
  const refresh = async () => {
    const signed = await source.link.directory(current.version)
    if (signed === undefined) return
    const next = verifyDirectory(signed, key, current.version)
    if (next.version === current.version) return
    await savePrivateJson(file, signed)
    current = next
    onChange()
    log('info', 'directory.taken', { version: next.version })
  }
  let failures = 0
  let cancel = () => {}
  let closed = false
  const look = () => {
    refresh()
      .then(
        () => {
          if (failures > 1) log('info', 'directory.fresh', { version: current.version })
          failures = 0
        },
        (error: unknown) => {
          // The first may be a moment without it; one that is away for a week is no news every few seconds.
          if (++failures === 2) log('warn', 'directory.stale', { reason: reasonOf(error) })
        },
      )
      .finally(() => {
        if (!closed) cancel = clock.after(Math.min(everyMs * 2 ** failures, longestMs), look)
      })
  }
  look()
  return {
    current: () => current,
    close() {
      closed = true
      cancel()
    },
  }
}

/** The key by which a federation signs its directories. @param hex Ed25519, public */
export function directoryKeyOf(hex: string): KeyObject {
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(hex, 'hex')])
  return createPublicKey({ key: der, format: 'der', type: 'spki' })
}

async function firstDirectory({ file, link, clock }: Source, key: KeyObject): Promise<Directory> {
  const until = performance.now() + firstMs
  while (true) {
    try {
      const signed = await link.directory(undefined)
      const directory = verifyDirectory(signed, key, 0)
      await savePrivateJson(file, signed)
      return directory
    } catch (error) {
      if (performance.now() > until) throw hostError('connect.slow', { url: link.url, seconds: firstMs / 1000 }, error)
      await new Promise<void>((resolve) => void clock.after(100, resolve))
    }
  }
}
