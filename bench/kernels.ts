/** `node bench/kernels.ts`: how fast each step per byte runs alone, in one run; K is the whole line of a PUT. */
import { createHash, randomBytes } from 'node:crypto'
import { openCoders } from '../src/storage/code/coder.ts'
import { openSegmentSeal, openSegmentTags } from '../src/storage/seal/segment-seal.ts'
import { cellOverhead, fullCellBytes, segmentShape } from '../src/storage/seal/shape.ts'

const [k, m] = [4, 2]
const rounds = 400
const shape = segmentShape(32 * 1024 * 1024, k, m)
const keys = { segment: randomBytes(16), data: randomBytes(32), integrity: randomBytes(32) }
const spare = Array.from({ length: k + m }, () => Buffer.alloc(fullCellBytes + cellOverhead))
const seal = openSegmentSeal(shape, 'bench', keys, () => spare[0] as Buffer)
const tags = openSegmentTags(shape, keys)
const coder = await openCoders({ compile: (wasm) => WebAssembly.compile(wasm) }).coder(k, m)
const plain = randomBytes(fullCellBytes)
const cell = Buffer.from(seal.seal(0, 0, plain))

const steps: [name: string, perPlain: number, act: () => void][] = [
  ['MD5 of the plaintext', 1, () => createHash('md5').update(plain).digest()],
  ['seal (AES-256-GCM)', 1, () => seal.seal(0, 0, plain)],
  [`code ${k}+${m}`, 1 / k, () => coder.encode(spare.slice(0, k), spare.slice(k), fullCellBytes + 16)],
  ['tag (GMAC)', (k + m) / k, () => tags.tag(0, 0, cell)],
  ['instead of it: SHA-256', 0, () => createHash('sha256').update(cell).digest()],
]
let perByte = 0
for (const [name, perPlain, act] of steps) {
  for (let warm = 0; warm < 50; warm++) act()
  const began = performance.now()
  for (let round = 0; round < rounds; round++) act()
  const ns = ((performance.now() - began) * 1e6) / rounds / fullCellBytes
  // The coder works on k cells at a time.
  const perCell = name.startsWith('code') ? ns / k : ns
  perByte += perPlain === 0 ? 0 : perCell * (name.startsWith('code') ? 1 : perPlain)
  console.log(`${name.padEnd(26)} ${(1 / perCell).toFixed(2)} GB/s`)
}
console.log(`${'K, one after the other'.padEnd(26)} ${(1 / perByte).toFixed(2)} GB/s of plaintext`)
