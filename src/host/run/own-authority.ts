import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Random } from '#kernel'
import { type Authority, makeAuthority, openAuthority } from '#trust'
import { writePrivate } from '../disk/write-file.ts'
import { keyIn } from './own-keys.ts'

/**
 * The authority of a federation, in two files of its folder; made at its first start.
 * @throws authority.unfit
 */
export async function openOwnAuthority(
  folder: string,
  { clock, random }: { clock: Clock; random: Random },
): Promise<Authority> {
  const [keyFile, file] = [join(folder, 'authority-key.pem'), join(folder, 'authority.pem')]
  const [key, now] = [keyIn(keyFile, 'p256'), clock.now()]
  if (!existsSync(file))
    writePrivate(file, await makeAuthority({ key, name: 'Pelago federation', now, serial: random.bytes(16) }))
  return openAuthority({ key, certificate: readFileSync(file, 'utf8'), now })
}
