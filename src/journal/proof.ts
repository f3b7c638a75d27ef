import { canonicalJson } from '#kernel'
import { type Entry, entryText } from './entry.ts'
import { faultOfKeys, isSigned, type LogKey, parseHead, type SignedHead } from './head.ts'
import { isConsistent, leafHash, rootOfInclusion } from './merkle.ts'

export const proofFormat = 'pelago log proof 1'

/** A key of the log as it is shown: bytes in hex. */
export type ShownKey = { generation: number; log: string; since: number; key: string; endorsement: string }

/** Everything that is needed to believe one entry, besides the log's name. Bytes in hex, heads as signed notes. */
export type LogProof = {
  format: typeof proofFormat
  log: string
  keys: ShownKey[]
  /** The entry's text, of which its leaf hash is made. */
  entry: string
  inclusion: string[]
  head: string
  /** An earlier head, which `head` goes on from. */
  earlier: string
  consistency: string[]
}

/** One thing that was checked, in words. */
export type Check = { says: string; fault: string | undefined }

export function shownKey({ generation, log, since, public: key, endorsement }: LogKey): ShownKey {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  return { generation, log, since, key: hex(key), endorsement: hex(endorsement) }
}

/** @returns undefined when it is no key */
export function keyOfShown({ generation, log, since, key, endorsement }: ShownKey): LogKey | undefined {
  const [bytes, signed] = [bytesOf(key, 32), endorsement === '' ? new Uint8Array() : bytesOf(endorsement, 64)]
  return bytes && signed && { generation, log, since, public: bytes, endorsement: signed }
}

/** The one spelling of a proof as a file. */
export const proofText = (proof: LogProof): string => `${canonicalJson(proof)}\n`

/** What is proved, and every check that it took. Believe it only when no check has a fault. */
export type CheckedProof = { entry: Entry | undefined; head: SignedHead | undefined; checks: Check[] }

/**
 * Checks a proof file without asking anybody.
 * @param log name of the log that it must be of; without, the file's own is believed
 */
export function checkProof(text: string, log?: string): CheckedProof {
  const proof = readProof(text)
  if (!proof)
    return { entry: undefined, head: undefined, checks: [{ says: 'the file is a proof', fault: 'it is none' }] }
  const keys = proof.keys.map(keyOfShown).filter((key) => key !== undefined)
  const head = parseHead(proof.head)
  const earlier = parseHead(proof.earlier)
  const entry = readEntry(proof.entry)
  const check = (says: string, holds: boolean, fault: string): Check => ({ says, fault: holds ? undefined : fault })
  const signed = (found: SignedHead | undefined) => found?.log === proof.log && isSigned(found, keys)
  const inclusion = bytesOfAll(proof.inclusion)
  const consistency = bytesOfAll(proof.consistency)
  const root =
    entry && head && inclusion && rootOfInclusion(entry.sequence - 1, head.size, leafHash(proof.entry), inclusion)
  const goesOn =
    head && earlier && consistency && isConsistent(earlier.size, head.size, earlier.root, head.root, consistency)
  const keyFault =
    keys.length === proof.keys.length && keys.every((key) => key.log === proof.log) && keys.length > 0
      ? faultOfKeys(keys)
      : 'they are not those of the log'
  return {
    entry,
    head,
    checks: [
      ...(log === undefined ? [] : [check(`it is of the log ${log}`, proof.log === log, `it is of ${proof.log}`)]),
      check('the keys follow from the name of the log', keyFault === undefined, keyFault ?? ''),
      check('the head is signed by the log', signed(head), 'its signature is not right'),
      check(
        'the entry is in the log',
        root !== undefined && sameBytes(root, head?.root),
        'the path does not lead to the head',
      ),
      check('the earlier head is signed by the log', signed(earlier), 'its signature is not right'),
      check('the head goes on from the earlier one', goesOn === true, 'they are not of the same log'),
    ],
  }
}

function readProof(text: string): LogProof | undefined {
  const value = parse(text) as LogProof | undefined
  const strings = (list: unknown) =>
    Array.isArray(list) && list.length <= 128 && list.every((entry) => typeof entry === 'string')
  const right =
    value?.format === proofFormat &&
    [value.log, value.entry, value.head, value.earlier].every((field) => typeof field === 'string') &&
    strings(value.inclusion) &&
    strings(value.consistency) &&
    Array.isArray(value.keys) &&
    value.keys.every(isShownKey) &&
    Object.keys(value).length === 8
  return right && proofText(value) === text ? value : undefined
}

function isShownKey(key: unknown): boolean {
  if (typeof key !== 'object' || key === null) return false
  const { generation, log, since, key: bytes, endorsement } = key as ShownKey
  const texts = [log, bytes, endorsement].every((field) => typeof field === 'string')
  return texts && Number.isSafeInteger(generation) && Number.isSafeInteger(since) && Object.keys(key).length === 5
}

function readEntry(text: string): Entry | undefined {
  const entry = parse(text) as Entry | undefined
  const right = entry !== undefined && Number.isSafeInteger(entry.sequence) && entry.sequence > 0
  return right && entryText(entry) === text ? entry : undefined
}

/** @returns undefined for what is no JSON object; who reads a file of somebody else expects that */
function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function bytesOf(hex: string, length: number): Uint8Array | undefined {
  return hex.length === 2 * length && /^[0-9a-f]*$/.test(hex) ? new Uint8Array(Buffer.from(hex, 'hex')) : undefined
}

function bytesOfAll(list: readonly string[]): Uint8Array[] | undefined {
  const all = list.map((hex) => bytesOf(hex, 32)).filter((bytes) => bytes !== undefined)
  return all.length === list.length ? all : undefined
}

const sameBytes = (a: Uint8Array, b: Uint8Array | undefined) => b !== undefined && Buffer.compare(a, b) === 0
