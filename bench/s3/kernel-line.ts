/**
 * The kernel line K: what one thread of this Node can do at most of a PUT's arithmetic, by code that shares nothing with the
 * product. Per row of 4 x 128 KiB plaintext: MD5 of all of it; AES-256-GCM of 4 cells; Reed-Solomon 4+2 over the sealed
 * cells; a GMAC tag of each of the 6 stored cells. No sockets, no files, nobody to wait for. Counted in CPU of this thread.
 * Run alone it says each step's speed.
 */
import { createCipheriv, createDecipheriv, createHash, createSecretKey, randomBytes } from 'node:crypto'
import { k, m, openPlainCode, slowCode } from './plain-code.ts'

const cellBytes = 128 * 1024
const tagBytes = 16
const measureMs = 250

const code = openPlainCode(cellBytes + tagBytes)
const plain = randomBytes(k * cellBytes)
const cells = Array.from({ length: k }, (_, at) => plain.subarray(at * cellBytes, (at + 1) * cellBytes))
const [dataKey, tagKey] = [createSecretKey(randomBytes(32)), createSecretKey(randomBytes(32))]
const nonce = (number: number) => {
  const bytes = Buffer.alloc(12)
  bytes.writeUInt32BE(number, 8)
  return bytes
}
const digest = createHash('md5')

const steps = {
  MD5: () => void digest.update(plain),
  'AES-256-GCM': () => {
    for (const [at, cell] of cells.entries()) {
      const cipher = createCipheriv('aes-256-gcm', dataKey, nonce(at))
      const sealed = cipher.update(cell)
      cipher.final()
      const shard = code.shards[at] as Uint8Array
      shard.set(sealed)
      shard.set(cipher.getAuthTag(), cellBytes)
      // Given back at once, its memory stays warm for the next cell.
      sealed.buffer.transfer(0)
    }
  },
  'Reed-Solomon 4+2': () => code.encode(),
  GMAC: () => {
    for (const [at, shard] of code.shards.entries()) tagOf(at, shard)
  },
}

function tagOf(at: number, shard: Uint8Array): Buffer {
  const mac = createCipheriv('aes-256-gcm', tagKey, nonce(at))
  mac.setAAD(shard)
  mac.final()
  return mac.getAuthTag()
}

/** Bytes of plaintext per second of this thread's CPU. */
function speedOf(act: () => void): number {
  for (let warm = 0; warm < 20; warm++) act()
  const began = performance.now()
  const cpu = process.threadCpuUsage()
  let turns = 0
  while (performance.now() - began < measureMs) {
    act()
    turns++
  }
  const { user, system } = process.threadCpuUsage(cpu)
  return (turns * plain.length) / ((user + system) / 1e6)
}

/** What is measured must also be right. */
function check(): void {
  if (createHash('md5').update('abc').digest('hex') !== '900150983cd24fb0d6963f7d28e17f72')
    throw new Error('MD5 is wrong')
  steps['AES-256-GCM']()
  steps['Reed-Solomon 4+2']()
  for (const [at, cell] of cells.entries()) {
    const shard = Buffer.from(code.shards[at] as Uint8Array)
    const opened = createDecipheriv('aes-256-gcm', dataKey, nonce(at)).setAuthTag(shard.subarray(cellBytes))
    const back = opened.update(shard.subarray(0, cellBytes))
    opened.final()
    if (!back.equals(cell)) throw new Error('AES-256-GCM is wrong')
  }
  for (let at = 0; at < cellBytes + tagBytes; at++) {
    const column = code.shards.map((shard) => shard[at] as number)
    const [p, q] = slowCode(column.slice(0, k))
    if (column[k] !== p || column[k + 1] !== q) throw new Error(`the code is wrong at byte ${at}`)
  }
  const first = tagOf(0, code.shards[0] as Uint8Array)
  const other = Buffer.from(code.shards[0] as Uint8Array)
  other[7] = (other[7] as number) ^ 1
  if (first.equals(tagOf(0, other)) || code.shards.length !== k + m) throw new Error('GMAC is wrong')
}

check()
const everything = () => {
  for (const step of Object.values(steps)) step()
}
if (process.send) {
  process.on('message', () => process.send?.(speedOf(everything)))
  process.on('disconnect', () => process.exit(0))
} else {
  for (const [name, act] of [...Object.entries(steps), ['K, all of them', everything] as const]) {
    console.log(`${name.padEnd(18)} ${(speedOf(act) / 1e9).toFixed(2)} GB of plaintext per CPU second`)
  }
}
