import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { keyIn, publicHexOf } from '../run/own-keys.ts'
import { readConfig, unwrapConfig } from '../run/configuration.ts'
import { giveToOwner, openRoleFolder, writeConfiguration } from './role-folder.ts'

/**
 * Makes the folder of the process that holds the root key, or adds a gateway to it. The root key itself is made when it first
 * starts.
 * @param input.socket where gateways ask it, if not in its folder: then gateways of the same group may, which run as another user
 * @param input.passphraseFile seals the root key; without, whoever reads the folder reads everything
 */
export function initUnwrap(input: {
  data: string
  gateway: { id: string; publicKey: string }
  passphraseFile?: string
  socket?: string
}): { socket: string; publicKey: string } {
  const { gateway, passphraseFile } = input
  const folder = resolve(input.data)
  openRoleFolder(folder, 'unwrap')
  const file = join(folder, 'config.json')
  const key = keyIn(join(folder, 'key.pem'), 'x25519')
  const known = existsSync(file) ? readConfig(file, unwrapConfig) : undefined
  const others = (known?.gateways ?? []).filter(({ id }) => id !== gateway.id)
  const socket = input.socket ?? known?.socket ?? join(folder, 'socket')
  const sealed = passphraseFile !== undefined && { passphraseFile: resolve(passphraseFile) }
  const root = { kind: 'file', file: join(folder, 'root.key'), ...sealed }
  const usual = { version: 1, role: 'unwrap', keyFile: join(folder, 'key.pem'), root }
  // In a folder of its own the group decides who comes near it; in this one nobody else can.
  const group = input.socket !== undefined && { group: true }
  writeConfiguration(folder, usual, { socket, ...group, gateways: [...others, gateway] })
  giveToOwner(folder)
  return { socket, publicKey: publicHexOf(key) }
}
