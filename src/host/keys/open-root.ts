import { existsSync, readFileSync, statSync } from 'node:fs'
import type { Clock, Log } from '#kernel'
import type { RootKey } from '#storage'
import { hostError } from '../errors.ts'
import type { UnwrapConfig } from '../run/configuration.ts'
import { freshRoot, isSealed, readRootFile, rootOf, type Sealing, writeRootFile } from './root-file.ts'
import { openTransitRoot } from './transit-root.ts'

/** A file that was changed is read again after this, so that a rotation needs no restart. */
const lookMs = 1000

export type RootConfig = UnwrapConfig['root']

/**
 * Opens the root key that a configuration names; a file is made when it is missing.
 * @throws root.config, root.passphrase, root.unbuilt, data.damaged, transit.insecure
 */
export function openRoot({ clock, log }: { clock: Clock; log: Log }, config: RootConfig): RootKey {
  switch (config.kind) {
    case 'pkcs11':
      throw hostError('root.unbuilt', { kind: 'PKCS#11' })
    case 'transit': {
      const { url, tokenFile, mount = 'transit', key, caFile } = config
      if (url === undefined) throw hostError('root.config', { kind: 'transit', field: 'url' })
      if (tokenFile === undefined) throw hostError('root.config', { kind: 'transit', field: 'tokenFile' })
      if (key === undefined) throw hostError('root.config', { kind: 'transit', field: 'key' })
      log('info', 'root.opened', { kind: 'transit', url, mount, key })
      return openTransitRoot({ url, tokenFile, mount, key, ...(caFile !== undefined && { caFile }) }, clock.now)
    }
    case 'file': {
      const { file } = config
      if (file === undefined) throw hostError('root.config', { kind: 'file', field: 'file' })
      const sealing = sealingOf(config)
      if (!existsSync(file)) writeRootFile(file, [freshRoot(clock.now())], sealing)
      const root = openFile({ clock, log }, file, sealing?.passphrase)
      if (!isSealed(file))
        log('warn', 'root.plain', {
          file,
          says: 'whoever reads this file reads everything; give it a passphrase, or use transit',
        })
      return root
    }
  }
}

/** The passphrase that a configuration names, without the line's end. @throws root.passphrase */
export function sealingOf({ file = '', passphraseFile }: RootConfig): Sealing {
  if (passphraseFile === undefined) return undefined
  if (!existsSync(passphraseFile)) throw hostError('root.passphrase', { file, reason: `there is no ${passphraseFile}` })
  const passphrase = readFileSync(passphraseFile, 'utf8').replace(/\r?\n$/, '')
  if (passphrase === '') throw hostError('root.passphrase', { file, reason: `${passphraseFile} is empty` })
  return { passphrase }
}

function openFile({ clock, log }: { clock: Clock; log: Log }, file: string, passphrase: string | undefined): RootKey {
  const stamp = () => {
    const { mtimeMs, ino } = statSync(file)
    return `${mtimeMs} ${ino}`
  }
  let seen = stamp()
  let root = rootOf(readRootFile(file, passphrase))
  let lookAt = clock.now() + lookMs
  const current = (): RootKey => {
    if (clock.now() < lookAt) return root
    lookAt = clock.now() + lookMs
    try {
      const now = stamp()
      if (now !== seen) {
        root = rootOf(readRootFile(file, passphrase))
        seen = now
        log('info', 'root.changed', { file })
      }
    } catch (error) {
      // What is in memory still opens everything; whoever changed the file is told.
      log('error', 'root.unread', { file, reason: error instanceof Error ? error.message : String(error) })
    }
    return root
  }
  return {
    newest: () => current().newest(),
    wrap: (plain, context) => current().wrap(plain, context),
    unwrap: (from, context) => current().unwrap(from, context),
    rewrap: (from, context) => current().rewrap(from, context),
  }
}
