import { join, resolve } from 'node:path'
import { keyIn } from '../run/own-keys.ts'
import { openOwnAuthority } from '../run/own-authority.ts'
import { systemClock } from '../clock.ts'
import { openRandom } from '../random.ts'
import { addressOf, isSecure, urlOf } from './addresses.ts'
import { giveToOwner, keepToken, openRoleFolder, writeConfiguration } from './role-folder.ts'

/**
 * Makes the folder of a federation: its keys, its authority, its configuration. What is there stays.
 * @param input.url where other machines reach it
 * @param input.listen `HOST:PORT` on this machine; that of the URL without
 * @throws folder.role, address.unclear, tls.ask
 */
export async function initFederation(input: {
  data: string
  url: string
  listen?: string
}): Promise<{ folder: string; url: string }> {
  const { url, ...reached } = urlOf(input.url, '--url')
  const listen = input.listen === undefined ? reached : addressOf(input.listen, '--listen')
  const folder = resolve(input.data)
  openRoleFolder(folder, 'federation')
  keyIn(join(folder, 'key.pem'), 'ed25519')
  keepToken(join(folder, 'api-token'))
  await openOwnAuthority(folder, { clock: systemClock, random: openRandom() })
  const files = { tokenFile: join(folder, 'api-token'), keyFile: join(folder, 'key.pem') }
  writeConfiguration(
    folder,
    { version: 1, role: 'federation', folder, ...files },
    { api: { ...listen, ...(isSecure(url) && { tls: true }) }, url },
  )
  giveToOwner(folder)
  return { folder, url }
}
