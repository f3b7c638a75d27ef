/**
 * Checks proofs of the log as somebody else's program would: written from docs/formats/log.md and the RFCs that it names
 * alone, with nothing of the product in it.
 */
import { createHash, createPublicKey, verify } from 'node:crypto'

type Key = { generation: number; log: string; since: number; key: string; endorsement: string }
type Head = { size: bigint; root: string; text: string; keyId: string; signature: Buffer }

const sha256 = (...parts: (Buffer | string)[]) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
const node = (left: string, right: string) =>
  sha256(Buffer.of(1), Buffer.from(left, 'hex'), Buffer.from(right, 'hex')).toString('hex')

/** RFC 8785 for what occurs here: whole numbers, texts, lists, objects. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const pairs = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${pairs.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join()}}`
}

/** @returns what the entry says. @throws at the first thing that is not as the page says */
export function verifyProofFile(file: Buffer, expectedLog: string): Record<string, unknown> {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file)
  const proof = JSON.parse(text) as Record<string, unknown>
  demand(`${canonical(proof)}\n` === text, 'the file is not spelled canonically')
  const names = ['consistency', 'earlier', 'entry', 'format', 'head', 'inclusion', 'keys', 'log']
  demand(Object.keys(proof).sort().join() === names.join(), 'its fields are others')
  demand(proof.format === 'pelago log proof 1', 'its format is another')
  const log = proof.log as string
  demand(log === expectedLog, 'it is of another log')

  const keys = proof.keys as Key[]
  demand(Array.isArray(keys) && keys.length > 0, 'it has no keys')
  for (const [at, key] of keys.entries()) checkKey(key, keys[at - 1], log)

  const head = readHead(proof.head as string, log, keys)
  const earlier = readHead(proof.earlier as string, log, keys)
  const entry = JSON.parse(proof.entry as string) as Record<string, unknown>
  demand(canonical(entry) === proof.entry, 'the entry is not spelled canonically')
  demand(Number.isSafeInteger(entry.sequence), 'the entry has no number')
  const leaf = sha256(Buffer.of(0), Buffer.from(proof.entry)).toString('hex')
  const inclusion = hashes(proof.inclusion)
  demand(includes(BigInt(entry.sequence as number) - 1n, head.size, leaf, inclusion, head.root), 'it is not in the log')
  const consistency = hashes(proof.consistency)
  demand(continues(earlier.size, head.size, earlier.root, head.root, consistency), 'the heads are of different logs')
  return entry
}

function checkKey(key: Key, before: Key | undefined, log: string): void {
  demand(Object.keys(key).sort().join() === 'endorsement,generation,key,log,since', 'a key has other fields')
  demand(/^[0-9a-f]{64}$/.test(key.key) && key.log === log, 'a key is none of this log')
  demand(Number.isSafeInteger(key.generation) && Number.isSafeInteger(key.since), 'a key has no numbers')
  if (!before) {
    const begin = `pelago log 1\n${key.generation}\n${key.since}\n${key.key}\n`
    demand(sha256(begin).subarray(0, 16).toString('hex') === log, 'the first key does not make the name')
    demand(key.endorsement === '', 'the first key is endorsed')
    return
  }
  demand(key.generation === before.generation + 1 && key.since >= before.since, 'a key does not follow')
  demand(/^[0-9a-f]{128}$/.test(key.endorsement), 'a key is not endorsed')
  const said = `pelago log key 1\n${log}\n${key.generation}\n${key.since}\n${key.key}\n`
  demand(signed(before.key, said, Buffer.from(key.endorsement, 'hex')), 'a key is not endorsed by the one before')
}

function readHead(note: string, log: string, keys: Key[]): Head {
  const lines = note.split('\n')
  demand(lines.length === 7 && lines[6] === '' && lines[4] === '', 'a head has not six lines')
  const [origin, size = '', root = '', time = '', , last = ''] = lines
  demand(origin === `pelago/${log}`, 'a head is of another log')
  demand(/^[1-9][0-9]{0,15}$/.test(size) && /^time (0|[1-9][0-9]{0,15})$/.test(time), 'a head has no numbers')
  const words = last.split(' ')
  demand(words.length === 3 && words[0] === '—' && words[1] === `pelago/${log}`, 'a head is not signed by its log')
  const rootBytes = Buffer.from(root, 'base64')
  const signature = Buffer.from(words[2] as string, 'base64')
  demand(rootBytes.length === 32 && rootBytes.toString('base64') === root, 'a root is no hash')
  demand(signature.length === 68 && signature.toString('base64') === words[2], 'a signature is none')
  const text = `${lines.slice(0, 4).join('\n')}\n`
  const key = keys.filter(({ since }) => BigInt(since) < BigInt(size)).at(-1)
  demand(key !== undefined, 'there was no key yet')
  const id = sha256(`pelago/${log}\n`, Buffer.of(1), Buffer.from(key.key, 'hex')).subarray(0, 4)
  demand(id.equals(signature.subarray(0, 4)), 'a head is signed with another key')
  demand(signed(key.key, text, signature.subarray(4)), 'a head is not signed')
  return { size: BigInt(size), root: rootBytes.toString('hex'), text, keyId: id.toString('hex'), signature }
}

function signed(key: string, text: string, signature: Buffer): boolean {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(key, 'hex').toString('base64url') }
  return verify(null, Buffer.from(text), createPublicKey({ key: jwk, format: 'jwk' }), signature)
}

function hashes(list: unknown): string[] {
  demand(
    Array.isArray(list) && list.every((hash) => typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash)),
    'a path is none',
  )
  return list as string[]
}

/** RFC 9162, 2.1.3.2. */
function includes(index: bigint, size: bigint, leaf: string, path: string[], root: string): boolean {
  if (index < 0n || index >= size) return false
  let fn = index
  let sn = size - 1n
  let r = leaf
  for (const p of path) {
    if (sn === 0n) return false
    if ((fn & 1n) === 1n || fn === sn) {
      r = node(p, r)
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n
        sn >>= 1n
      }
    } else r = node(r, p)
    fn >>= 1n
    sn >>= 1n
  }
  return sn === 0n && r === root
}

/** RFC 9162, 2.1.4.2. */
function continues(first: bigint, second: bigint, firstRoot: string, secondRoot: string, path: string[]): boolean {
  if (first === second) return path.length === 0 && firstRoot === secondRoot
  if (first > second || path.length === 0) return false
  const steps = (first & (first - 1n)) === 0n ? [firstRoot, ...path] : path
  let fn = first - 1n
  let sn = second - 1n
  while ((fn & 1n) === 1n) {
    fn >>= 1n
    sn >>= 1n
  }
  let fr = steps[0] as string
  let sr = fr
  for (const c of steps.slice(1)) {
    if (sn === 0n) return false
    if ((fn & 1n) === 1n || fn === sn) {
      fr = node(c, fr)
      sr = node(c, sr)
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n
        sn >>= 1n
      }
    } else sr = node(sr, c)
    fn >>= 1n
    sn >>= 1n
  }
  return sn === 0n && fr === firstRoot && sr === secondRoot
}

function demand(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise)
}
