import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

/**
 * What is signed over the log: the tree's root over its first `size` entries. Written as a checkpoint in a signed note, so
 * that witnesses of other make can sign it too. Source: C2SP tlog-checkpoint and signed-note; `time` is an extension line.
 */
export type Head = { log: string; size: number; root: Uint8Array; at: number }
/** A head as it was read: not believed yet. `text` is what is signed. */
export type SignedHead = Head & { note: string; text: string; keyId: string; signature: Uint8Array }

/** A key that heads are signed with. `since`: how many entries the log had when it came. */
export type LogKey = { generation: number; log: string; public: Uint8Array; since: number; endorsement: Uint8Array }
export type SigningKey = LogKey & { private: KeyObject }

const idBytes = 16
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const spki = Buffer.from('302a300506032b6570032100', 'hex')

/** The Ed25519 key of a seed of 32 bytes. */
export function keyOfSeed(seed: Uint8Array): { private: KeyObject; public: Uint8Array } {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' })
  const der = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return { private: key, public: new Uint8Array(der.subarray(spki.length)) }
}

/** A log's name says how it began and with which key, so that whoever knows the name can check every later key. */
export function logName({ generation, since, public: key }: Pick<LogKey, 'generation' | 'since' | 'public'>): string {
  const begin = `pelago log 1\n${generation}\n${since}\n${Buffer.from(key).toString('hex')}\n`
  return createHash('sha256').update(begin).digest().subarray(0, idBytes).toString('hex')
}

export function signHead(key: SigningKey, head: Omit<Head, 'log'>): string {
  const text = headText({ ...head, log: key.log })
  return noteOf(text, key.log, keyIdOf(key), sign(null, Buffer.from(text), key.private))
}

/** @returns undefined for whatever is not exactly a head as it is written here */
export function parseHead(note: string): SignedHead | undefined {
  const match =
    /^pelago\/([0-9a-f]{32})\n([0-9]{1,16})\n([A-Za-z0-9+/=]{44})\ntime ([0-9]{1,16})\n\n— pelago\/[0-9a-f]{32} ([A-Za-z0-9+/=]{92})\n$/.exec(
      note,
    )
  if (!match) return undefined
  const [, log = '', size = '', root = '', at = '', signed = ''] = match
  const bytes = Buffer.from(signed, 'base64')
  const head = { log, size: Number(size), root: Buffer.from(root, 'base64'), at: Number(at) }
  const text = headText(head)
  const keyId = bytes.subarray(0, 4).toString('hex')
  const signature = bytes.subarray(4)
  // Base64 has several spellings of the same bytes; only one of them is a head.
  return noteOf(text, log, keyId, signature) === note ? { ...head, note, text, keyId, signature } : undefined
}

/** Whether the key signed the head that this log had then: one that was replaced before says nothing any more. */
export function isSigned(head: SignedHead, keys: readonly LogKey[]): boolean {
  const key = keys.findLast(({ log, since }) => log === head.log && since < head.size)
  return key !== undefined && keyIdOf(key) === head.keyId && verifies(key.public, head.text, head.signature)
}

/** What the key before signs, so that nobody else can hand the log on. */
export function endorse(before: SigningKey, next: Omit<LogKey, 'endorsement'>): Uint8Array {
  return sign(null, endorsedText(next), before.private)
}

/**
 * Checks that the keys follow from each other.
 * @param keys all keys, in order
 * @returns what is wrong, or undefined
 */
export function faultOfKeys(keys: readonly LogKey[]): string | undefined {
  for (const [at, key] of keys.entries()) {
    const before = keys[at - 1]
    if (before && (key.generation !== before.generation + 1 || key.since < before.since))
      return `key ${key.generation} does not follow key ${before.generation}`
    if (before?.log !== key.log) {
      if (logName(key) !== key.log) return `the log ${key.log} did not begin with key ${key.generation}`
    } else if (!verifies(before.public, endorsedText(key), key.endorsement))
      return `key ${key.generation} is not signed by key ${before.generation}`
  }
  return undefined
}

function endorsedText({ log, generation, since, public: key }: Omit<LogKey, 'endorsement'>): Buffer {
  return Buffer.from(`pelago log key 1\n${log}\n${generation}\n${since}\n${Buffer.from(key).toString('hex')}\n`)
}

const headText = ({ log, size, root, at }: Head) =>
  `pelago/${log}\n${size}\n${Buffer.from(root).toString('base64')}\ntime ${at}\n`

const noteOf = (text: string, log: string, keyId: string, signature: Uint8Array) =>
  `${text}\n— pelago/${log} ${Buffer.concat([Buffer.from(keyId, 'hex'), signature]).toString('base64')}\n`

/** The four bytes by which a signature says whose it is; 1 stands for Ed25519. Source: C2SP signed-note. */
function keyIdOf({ log, public: key }: Pick<LogKey, 'log' | 'public'>): string {
  return createHash('sha256')
    .update(`pelago/${log}\n`)
    .update(Buffer.from([1]))
    .update(key)
    .digest()
    .subarray(0, 4)
    .toString('hex')
}

function verifies(key: Uint8Array, text: string | Buffer, signature: Uint8Array): boolean {
  const object = createPublicKey({ key: Buffer.concat([spki, key]), format: 'der', type: 'spki' })
  return verify(null, Buffer.from(text), object, signature)
}
