import { createHash } from 'node:crypto'
import type { Random } from '#kernel'

/** 32 letters of which none looks like another. */
const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'

/** 256 bits that nobody can guess, as text. */
export const freshSecret = (random: Random, prefix = '') =>
  `${prefix}${Buffer.from(random.bytes(32)).toString('base64url')}`

/** A name that says nothing. */
export const freshId = (random: Random) => Buffer.from(random.bytes(12)).toString('hex')

/** Something that people type: groups of four letters, five bits each. */
export function freshCode(random: Random, groups: number): string {
  const drawn = [...random.bytes(groups * 4)].map((byte) => letters[byte & 31]).join('')
  return (drawn.match(/.{4}/g) as string[]).join('-')
}

/** What is kept of a secret. Secrets are long enough for a plain hash; typed codes live for minutes and are counted. */
export const hashOf = (secret: string) => createHash('sha256').update(secret).digest('hex')

/** The hash of a typed code, whatever its case and hyphens. */
export const codeHash = (code: string) => hashOf(code.toUpperCase().replace(/[^A-Z0-9]/g, ''))
