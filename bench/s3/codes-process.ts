/** Encodes 4+2 with shards of 1 MiB by two codes in turn, and says how many bytes of data each does per CPU second. */
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { openCoders } from '../../src/storage/code/coder.ts'

type Ronomon = {
  create(k: number, m: number): Uint8Array
  encode(
    context: Uint8Array,
    sources: number,
    targets: number,
    buffer: Buffer,
    bufferOffset: number,
    bufferSize: number,
    parity: Buffer,
    parityOffset: number,
    paritySize: number,
    done: (error?: Error) => void,
  ): void
}

const [k, m] = [4, 2]
const shardBytes = 1024 * 1024
const turnMs = 300

const ronomon = createRequire(join(process.argv[2] as string, 'package.json'))('@ronomon/reed-solomon') as Ronomon
const context = ronomon.create(k, m)
const coder = await openCoders({ compile: (wasm) => WebAssembly.compile(wasm) }).coder(k, m)
const data = randomBytes(k * shardBytes)
const shards = Array.from({ length: k }, (_, at) => data.subarray(at * shardBytes, (at + 1) * shardBytes))
const theirs = Buffer.alloc(m * shardBytes)
const ours = Array.from({ length: m }, () => Buffer.alloc(shardBytes))

const encodeTheirs = () =>
  new Promise<void>((resolve, reject) =>
    ronomon.encode(context, 0b1111, 0b110000, data, 0, data.length, theirs, 0, theirs.length, (error) =>
      error ? reject(error) : resolve(),
    ),
  )
const encodeOurs = async () => coder.encode(shards, ours, shardBytes)

async function speedOf(encode: () => Promise<void>): Promise<number> {
  await encode()
  const began = performance.now()
  const cpu = process.cpuUsage()
  let turns = 0
  while (performance.now() - began < turnMs) {
    await encode()
    turns++
  }
  const { user, system } = process.cpuUsage(cpu)
  return (turns * data.length) / ((user + system) / 1e6)
}

/** What both wrote must bring a lost shard back. */
async function check(): Promise<void> {
  await encodeOurs()
  await encodeTheirs()
  if (theirs.every((byte) => byte === 0)) throw new Error('@ronomon/reed-solomon wrote nothing')
  const lost = Buffer.alloc(shardBytes)
  const present = [1, 2, 3].map((shard) => ({ shard, bytes: shards[shard] as Buffer }))
  coder.rebuild([...present, { shard: k, bytes: ours[0] as Buffer }], [{ shard: 0, bytes: lost }], shardBytes)
  if (!lost.equals(shards[0] as Buffer)) throw new Error('the product rebuilt other bytes')
}

await check()
process.on('message', () => {
  void (async () => process.send?.({ own: await speedOf(encodeOurs), ronomon: await speedOf(encodeTheirs) }))()
})
process.on('disconnect', () => process.exit(0))
