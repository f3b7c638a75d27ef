import { openArchipelago } from './archipelago.ts'
import { finish, type Life, newCall, sleepFor } from './life.ts'
import { openModel } from './model.ts'
import { noFaults } from './network.ts'
import { openWorld } from './world.ts'

const objects = 20
const reads = 400
/** One that is a segment of its own, and one that lies in a pack. */
const sizes = [120_000, 20_000]
/** How much longer one read in a hundred may take when a provider is ten times slower, or does not answer. */
const bound = 2

/**
 * One provider that is slow, or that takes requests and never answers them, must not slow reads, and must be asked again
 * when it is as it was. Time is virtual, so the bounds are exact.
 * @returns what was not as it must be
 */
export async function runSlowProvider(seed: number): Promise<string[]> {
  const failures: string[] = []
  for (const size of sizes) failures.push(...(await runSize(seed, size)))
  return failures
}

async function runSize(seed: number, sizeBytes: number): Promise<string[]> {
  const failures: string[] = []
  const world = openWorld(seed)
  const archipelago = await openArchipelago(world)
  const none = { bad: [], wide: false, lasting: false, damaged: new Set<string>(), problems: [] }
  const life: Life = { world, archipelago, model: openModel(), ...none, nextId: 1, phase: -1 }
  const { storage } = archipelago.gateway()
  const bytes = world.random.bytes(sizeBytes)
  await finish(life, () => storage.objects.createBucket(newCall(), { name: 'b' }))
  for (let at = 0; at < objects; at++) {
    const chunks = (async function* () {
      yield new Uint8Array(bytes)
    })()
    const body = { size: sizeBytes, chunks, finish: () => undefined }
    await finish(life, () =>
      storage.objects.putObject(newCall(), { bucket: 'b', key: `${at}`, headers: {}, condition: {}, body }),
    )
  }
  const readOne = async (at: number) => {
    const began = world.clock.now()
    const opened = await storage.objects.openObject(newCall(), { bucket: 'b', key: `${at % objects}` })
    const chunks: Uint8Array[] = []
    for await (const chunk of opened.read(undefined)) chunks.push(Buffer.from(chunk))
    if (Buffer.compare(Buffer.concat(chunks), bytes) !== 0)
      failures.push(`object ${at % objects} is not what was written`)
    return world.clock.now() - began
  }
  /** One read in a hundred took longer, in milliseconds. */
  const slowest = async () => {
    const taken: number[] = []
    for (let at = 0; at < reads; at++) taken.push(await finish(life, () => readOne(at)))
    return taken.sort((a, b) => a - b)[Math.floor(reads * 0.99)] as number
  }
  const mustNotSlow = async (what: string, healthy: number) => {
    const now = await slowest()
    if (now > bound * healthy)
      failures.push(`${what}: one read in a hundred takes over ${now} ms instead of ${healthy} ms`)
  }

  await slowest()
  const healthy = await slowest()
  const holders = archipelago.index.look('SELECT holders FROM placements').map((row) => String(row.holders).split(','))
  const island = archipelago.providers.find(({ provider }) => holders.every((held) => held.indexOf(provider.id) < 3))
  if (!island) return ['no provider holds data of every object']
  const { faults } = island.remote
  faults.delayMs = 10 * noFaults.delayMs
  await mustNotSlow('one is ten times slower', healthy)
  faults.delayMs = noFaults.delayMs
  await sleepFor(life, 3000)
  let asked = 0
  const { node } = island.remote
  if (!node) return ['the provider died']
  island.remote.node = {
    ...node,
    read(...what) {
      asked++
      return node.read(...what)
    },
  }
  await mustNotSlow('it is as quick as it was', healthy)
  if (asked < reads / 4) failures.push(`who became quick again was asked ${asked} times in ${reads} reads`)
  faults.stalled = true
  await mustNotSlow('one does not answer', healthy)
  archipelago.close()
  return failures.map((failure) => `seed ${seed}, objects of ${sizeBytes} bytes: ${failure}`)
}
