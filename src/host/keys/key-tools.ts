import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { KeyTools, RootPlace } from '#cli'
import { systemClock } from '../clock.ts'
import { hostError } from '../errors.ts'
import { readConfig, unwrapConfig } from '../run/configuration.ts'
import { type RootConfig, sealingOf } from './open-root.ts'
import { freshRoot, readRootFile, type RootKeys, writeRootFile } from './root-file.ts'

/** Where the configuration of the unwrap process is: named, in the data folder, or beside that of the gateway. */
export function unwrapConfigIn({ data, unwrapConfig: named }: RootPlace): string {
  if (named !== undefined) return resolve(named)
  const within = resolve(data, 'unwrap', 'config.json')
  return existsSync(within) ? within : join(dirname(resolve(data)), 'unwrap', 'config.json')
}

/** What root key there is. @throws file.missing, data.damaged */
export function readRootConfig(place: RootPlace): RootConfig {
  return readConfig(unwrapConfigIn(place), unwrapConfig).root
}

/** Adds a root key to its file. The unwrap process notices by itself, within a second. */
export async function rotateRoot(place: RootPlace): ReturnType<KeyTools['rotateRoot']> {
  const { file, keys, config } = keysIn(place)
  const fresh = freshRoot(systemClock.now())
  writeRootFile(file, [...keys, fresh], sealingOf(config))
  return { root: fresh.id, keys: keys.length + 1 }
}

/** Leaves the newest root key alone in its file. */
export async function retireRoots(place: RootPlace, newest: string): ReturnType<KeyTools['retireRoots']> {
  const { file, keys, config } = keysIn(place)
  const last = keys[keys.length - 1] as RootKeys[number]
  if (last.id !== newest) throw hostError('root.moved', { file: last.id, seen: newest })
  writeRootFile(file, [last], sealingOf(config))
  return { root: last.id, retired: keys.slice(0, -1).map(({ id }) => id) }
}

function keysIn(place: RootPlace): { config: RootConfig; file: string; keys: RootKeys } {
  const config = readRootConfig(place)
  const { kind, file, mount = 'transit', key = 'KEY' } = config
  if (kind !== 'file' || file === undefined) {
    const how =
      kind === 'transit'
        ? `With OpenBao: bao write -f ${mount}/keys/${key}/rotate (HashiCorp: vault write …). Keys are wrapped anew by themselves within a minute.`
        : ''
    throw hostError('root.elsewhere', { where: kind, how })
  }
  return { config, file, keys: readRootFile(file, sealingOf(config)?.passphrase) }
}
