import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'
import { exactly, faultOf, fields, integer, list, optional, type Static, text } from '#api'
import { combineShares, readShare, type Share, splitSecret, writeShare } from '#storage'
import { hostError } from '../errors.ts'

/** Three people keep a file each, and any two of them are enough. */
const shareCount = { shares: 3, needed: 2 }
const title = 'PELAGO RECOVERY KIT'
const checkWord = 'Check '
const shareMarks = { begin: '--- share ---', end: '--- end of the share ---' }
const sealedMarks = { begin: '--- sealed ---', end: '--- end of what is sealed ---' }
const lineLetters = 76
/** A share alone, as somebody has typed it from paper, is shorter. */
const typedMost = 4000

const hex = text({ max: 20_000, pattern: '^([0-9a-f]{2})+$' })

/** What a kit gives back: all that a gateway cannot make anew. */
const contentSchema = fields({
  version: exactly(1),
  madeAt: integer({ min: 0 }),
  gateway: text(),
  /** Name of the newest root key. */
  root: text({ min: 1, max: 64 }),
  rootKeys: list(fields({ id: text(), createdAt: integer({ min: 0 }), key: hex }), 16),
  /** Where the root key lies if it is not in the kit. */
  transit: optional(fields({ url: text(), mount: text(), key: text() })),
  federation: fields({ url: text(), publicKey: text() }),
  /** Files of the gateway and of the unwrap process: what they are called in a data folder, where they were, what they held. */
  files: list(fields({ name: text(), was: text(), holds: text({ max: 10_000_000 }) }), 100),
  /** The key store as it was, each key wrapped by the root key. */
  epochs: list(
    fields({ scope: text(), epoch: integer({ min: 1 }), root: text(), wrapped: hex, since: integer({ min: 0 }) }),
    1_000_000,
  ),
  /** What whoever opens the kit shows to the gateway, which has its hash. */
  proof: hex,
})
export type KitContent = Static<typeof contentSchema>

/** The texts of the three files of a new kit, and what it is called: 32 hex digits. */
export type MadeKit = { id: string; texts: string[] }

/**
 * Makes the three files of a kit. Two things lie in each: a share, and what is sealed, which is the same in all. The shares are
 * of the newest root key itself, so that two of them bring it back even where what is sealed is lost; a kit without root keys has
 * a key of its own.
 */
export function makeKit(content: KitContent): MadeKit {
  const id = randomBytes(16)
  const newest = content.rootKeys[content.rootKeys.length - 1]
  const secret = newest ? Buffer.from(newest.key, 'hex') : randomBytes(32)
  const sealed = seal(secret, id, Buffer.from(JSON.stringify(content)))
  const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) }
  const shares = splitSecret(random, nameOf(id), secret, shareCount)
  return { id: id.toString('hex'), texts: shares.map((share) => fileText(content, id, share, sealed)) }
}

/**
 * Opens a kit with two of its files. One of them may hold the share alone, typed from paper.
 * @param files where each text comes from, for what is said of it
 * @throws share.invalid, share.foreign, kit.altered, kit.mixed, kit.unopened
 */
export function openKit(files: readonly { file: string; text: string }[]): { id: string; content: KitContent } {
  const read = files.map(({ file, text: from }) => readFile(file, from))
  const [sealed, ...others] = read.flatMap((one) => (one.sealed ? [one.sealed] : []))
  if (!sealed) throw hostError('kit.unopened', { reason: 'one of the files must be whole, as it was made' })
  if (others.some((other) => !other.equals(sealed))) throw hostError('kit.mixed')
  const id = sealed.subarray(0, idBytes)
  const shares = read.map(({ share }) => share)
  if (shares.some(({ of }) => of !== nameOf(id))) throw hostError('kit.mixed')
  if (shares.length < shareCount.needed) throw hostError('kit.unopened', { reason: 'two of its files are needed' })
  const plain = unseal(combineShares(shares), sealed)
  if (!plain) throw hostError('kit.unopened', { reason: 'what the shares give together does not open it' })
  const content: unknown = JSON.parse(plain.toString())
  const fault = faultOf(contentSchema, content)
  if (fault) throw hostError('kit.unopened', { reason: `${fault.path} ${fault.fault}` })
  return { id: id.toString('hex'), content: content as KitContent }
}

/** Words that are the same in all files of a kit and differ between kits, to be compared by eye or on the telephone. */
export function kitWords(sealed: Uint8Array): string {
  const consonants = 'bdfghjklmnprstvz'
  const vowels = 'aiou'
  const bits = createHash('sha256').update('pelago kit words 1').update(sealed).digest()
  return [0, 2, 4]
    .map((at) => {
      // As in "Proquints" (D. S. Wilkerson, 2009): 16 bits are five letters.
      const word = bits.readUInt16BE(at)
      const letter = (of: string, shift: number) => of[(word >> shift) & (of.length - 1)]
      return [12, 10, 6, 4, 0].map((shift, place) => letter(place % 2 === 0 ? consonants : vowels, shift)).join('')
    })
    .join(' ')
}

function fileText(content: KitContent, id: Buffer, share: Share, sealed: Buffer): string {
  const { transit, root, gateway, federation, madeAt, epochs } = content
  const lines = [
    title,
    '',
    `Share ${share.at} of ${shareCount.shares}. Any two of the three files open the kit; this one alone opens nothing.`,
    '',
    `Kit         ${id.toString('hex')}`,
    `Words       ${kitWords(sealed)}`,
    `            The same in all three files; other kits have others.`,
    `Gateway     ${gateway}`,
    `Federation  ${federation.url}`,
    `Made        ${new Date(madeAt).toISOString()}`,
    `Root key    ${transit ? `${root} of ${transit.mount}/keys/${transit.key} at ${transit.url}` : root}`,
    '',
    'What it is: when the machine of the gateway is lost, two of these files give back its keys: the root key, the keys by',
    `which the providers know the gateway, its access keys, the directory of providers, and ${epochs.length} keys of buckets as they were.`,
    'The objects lie at the providers; a backup of the index says where.',
    ...(transit
      ? [
          '',
          'THE ROOT KEY IS NOT IN THIS KIT: it never leaves the server named above. Keep what brings that one back: its unseal or',
          'recovery keys and a backup of its storage. Without it this kit gives back no object.',
        ]
      : []),
    '',
    'How to keep it: give each file to another person. Print it, or keep it on a medium that is not in the machine. Whoever has',
    'two of the three has the keys.',
    '',
    'How to use it:',
    '  pelago recovery-kit test FILE FILE                 at the gateway: whether it opens, and still fits',
    '  pelago recovery-kit restore FILE FILE --data DIR   on a new machine: puts the keys into DIR',
    'Of one of the two a file with the share alone will do, typed from paper: the lines between the next two marks.',
    '',
    shareMarks.begin,
    ...chunks(writeShare(share), lineLetters),
    shareMarks.end,
    '',
    sealedMarks.begin,
    ...chunks(sealed.toString('base64'), lineLetters),
    sealedMarks.end,
    '',
    '',
  ]
  const body = lines.join('\n')
  return `${body}${checkWord}${sumOf(body)}\n`
}

/** The share of a file, and what is sealed where the file is whole. */
function readFile(file: string, from: string): { share: Share; sealed?: Buffer } {
  if (!from.startsWith(title)) {
    const typed = from
      .split('\n')
      .filter((line) => !line.startsWith('#') && !line.startsWith('---'))
      .join('')
    if (typed.length > typedMost) throw hostError('kit.altered', { file, reason: 'it is no file of a recovery kit' })
    return { share: readShare(typed) }
  }
  const end = from.lastIndexOf(checkWord)
  if (end === -1 || from.slice(end) !== `${checkWord}${sumOf(from.slice(0, end))}\n`)
    throw hostError('kit.altered', { file, reason: 'it is not as it was written' })
  const sealed = Buffer.from(between(file, from, sealedMarks), 'base64')
  if (sealed.length < leastSealed) throw hostError('kit.altered', { file, reason: 'too little is sealed in it' })
  return { share: readShare(between(file, from, shareMarks)), sealed }
}

function between(file: string, from: string, { begin, end }: { begin: string; end: string }): string {
  const start = from.indexOf(`\n${begin}\n`)
  const stop = from.indexOf(`\n${end}\n`, start)
  if (start === -1 || stop === -1) throw hostError('kit.altered', { file, reason: `it has no "${begin}"` })
  return from.slice(start + begin.length + 2, stop).replaceAll('\n', '')
}

const chunks = (from: string, length: number) => from.match(new RegExp(`.{1,${length}}`, 'g')) ?? []
const sumOf = (body: string) => createHash('sha256').update(body).digest('hex')

const idBytes = 16
const nonceBytes = 12
const tagBytes = 16
const leastSealed = idBytes + nonceBytes + tagBytes
const nameOf = (id: Buffer) => id.toString('hex').slice(0, 8)

const keyOf = (secret: Uint8Array, id: Uint8Array) =>
  Buffer.from(hkdfSync('sha256', secret, id, 'pelago recovery kit 1', 32))

/** AES-256-GCM under a key that follows from the secret and the id; the id stands before it in the clear. */
function seal(secret: Uint8Array, id: Uint8Array, plain: Uint8Array): Buffer {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret, id), nonce)
  cipher.setAAD(id)
  return Buffer.concat([id, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** @returns undefined when it was not sealed under this secret */
function unseal(secret: Uint8Array, sealed: Buffer): Buffer | undefined {
  const id = sealed.subarray(0, idBytes)
  const decipher = createDecipheriv('aes-256-gcm', keyOf(secret, id), sealed.subarray(idBytes, idBytes + nonceBytes))
  decipher.setAAD(id)
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
  const plain = decipher.update(sealed.subarray(idBytes + nonceBytes, sealed.length - tagBytes))
  try {
    return Buffer.concat([plain, decipher.final()])
  } catch {
    // The one thing that can fail here is the tag.
    return undefined
  }
}
