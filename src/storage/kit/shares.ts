import { createHash } from 'node:crypto'
import type { Random } from '#kernel'
import { storageError } from '../errors.ts'

/**
 * Shamir's secret sharing over GF(256) (A. Shamir, "How to share a secret", 1979): each byte of the secret is the value at 0 of
 * a polynomial of its own, a share is all values at one other place. `needed` shares give the secret, fewer give nothing.
 * The field is that of AES: x^8 + x^4 + x^3 + x + 1 (FIPS 197, 4.2).
 */
export type Share = { /** Which secret it is of: 4 bytes in hex. */ of: string; at: number; bytes: Uint8Array }

/** Product in the field. It takes the same time whatever is multiplied. */
export function times(a: number, b: number): number {
  let product = 0
  for (let bit = 0; bit < 8; bit++) {
    product ^= -((b >> bit) & 1) & a
    a = ((a << 1) ^ (-(a >> 7) & 0x11b)) & 0xff
  }
  return product
}

/** a^254, which is 1/a; 0 for 0. */
function inverse(a: number): number {
  let power = a
  let result = 1
  for (let exponent = 254; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result = times(result, power)
    power = times(power, power)
  }
  return result
}

/**
 * Cuts a secret into shares of which `needed` give it back.
 * @param of name of the secret, 4 bytes in hex
 * @throws RangeError for numbers that make no sense
 */
export function splitSecret(
  random: Random,
  of: string,
  secret: Uint8Array,
  { shares, needed }: { shares: number; needed: number },
): Share[] {
  if (needed < 2 || shares < needed || shares > 255) throw new RangeError(`${needed} of ${shares} shares`)
  const rest = Array.from({ length: needed - 1 }, () => random.bytes(secret.length))
  return Array.from({ length: shares }, (_, which) => {
    const at = which + 1
    const bytes = new Uint8Array(secret.length)
    for (let place = 0; place < secret.length; place++) {
      let value = 0
      for (let degree = rest.length - 1; degree >= 0; degree--)
        value = times(value ^ ((rest[degree] as Uint8Array)[place] as number), at)
      bytes[place] = value ^ (secret[place] as number)
    }
    return { of, at, bytes }
  })
}

/**
 * The secret out of as many shares as are needed. With fewer, or one that is false, what comes out is not the secret: whoever
 * asks must check it.
 * @throws share.foreign when they are not of one secret, or one is there twice
 */
export function combineShares(shares: readonly Share[]): Uint8Array {
  const [first] = shares
  const places = new Set(shares.map(({ at }) => at))
  if (!first || places.size !== shares.length)
    throw storageError('share.foreign', { reason: 'one of them is there twice' })
  if (shares.some(({ of, bytes }) => of !== first.of || bytes.length !== first.bytes.length))
    throw storageError('share.foreign', { reason: 'they are not of the same kit' })
  const secret = new Uint8Array(first.bytes.length)
  for (const { at, bytes } of shares) {
    // Lagrange's polynomial at 0: the product of x / (x - at) over the other places x. Minus is plus here.
    let weight = 1
    for (const other of places) if (other !== at) weight = times(weight, times(other, inverse(other ^ at)))
    for (let place = 0; place < secret.length; place++)
      secret[place] = (secret[place] as number) ^ times(weight, bytes[place] as number)
  }
  return secret
}

/** Crockford's base 32: no letter that looks like another or like a digit. All of it is in QR's alphanumeric mode. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const version = 1
const headBytes = 6
const sumBytes = 4
const prefix = 'PELAGO'

const sumOf = (bytes: Uint8Array) =>
  createHash('sha256').update('pelago share 1').update(bytes).digest().subarray(0, sumBytes)

/** A share as people keep it: a word, then groups of four letters and digits, the last of which are a checksum. */
export function writeShare({ of, at, bytes }: Share): string {
  const head = Buffer.concat([Buffer.from([version]), Buffer.from(of, 'hex'), Buffer.from([at]), bytes])
  const groups = encode(Buffer.concat([head, sumOf(head)])).match(/.{1,4}/g) ?? []
  return [prefix, ...groups].join('-')
}

/**
 * Reads a share as somebody typed it in: case, spaces and hyphens do not count, and O is 0, I and L are 1.
 * @throws share.invalid
 */
export function readShare(text: string): Share {
  const bare = text.toUpperCase().replace(/[\s-]/g, '')
  const letters = (bare.startsWith(prefix) ? bare.slice(prefix.length) : bare).replace(/O/g, '0').replace(/[IL]/g, '1')
  const stranger = Array.from(letters).find((letter) => !alphabet.includes(letter))
  if (stranger !== undefined) throw storageError('share.invalid', { reason: `it has no letter ${stranger}` })
  const all = decode(letters)
  if (!all) throw storageError('share.invalid', { reason: 'its end was mistyped or left out' })
  if (all.length <= headBytes + sumBytes) throw storageError('share.invalid', { reason: 'it is too short' })
  const head = all.subarray(0, all.length - sumBytes)
  if (!sumOf(head).equals(all.subarray(all.length - sumBytes)))
    throw storageError('share.invalid', { reason: 'its checksum is wrong, so something was mistyped or left out' })
  if (head[0] !== version) throw storageError('share.invalid', { reason: `it is of version ${head[0]}` })
  return {
    of: head.subarray(1, 5).toString('hex'),
    at: head[5] as number,
    bytes: new Uint8Array(head.subarray(headBytes)),
  }
}

function encode(bytes: Uint8Array): string {
  let text = ''
  let held = 0
  let bits = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    for (; bits >= 5; bits -= 5) text += alphabet[(held >> (bits - 5)) & 31] as string
    held &= (1 << bits) - 1
  }
  return bits > 0 ? text + (alphabet[(held << (5 - bits)) & 31] as string) : text
}

/** @returns undefined when bits are left over that no writer leaves: every letter counts */
function decode(letters: string): Buffer | undefined {
  const bytes: number[] = []
  let held = 0
  let bits = 0
  for (const letter of letters) {
    held = (held << 5) | alphabet.indexOf(letter)
    bits += 5
    if (bits >= 8) {
      bytes.push((held >> (bits - 8)) & 0xff)
      bits -= 8
    }
    held &= (1 << bits) - 1
  }
  return bits < 5 && held === 0 ? Buffer.from(bytes) : undefined
}
