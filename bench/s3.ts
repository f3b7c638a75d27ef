import { createHash } from 'node:crypto'
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { startPelago } from '../test/acceptance/start-pelago.ts'
import { type BenchClient, fresh, openBenchClient, type Target } from './client.ts'

const kibibyte = 1024
const mebibyte = 1024 * kibibyte
/** Size, how many requests a round has, how many of them at a time. */
const loads = [
  { size: kibibyte, requests: 40, atOnce: 1 },
  { size: kibibyte, requests: 160, atOnce: 16 },
  { size: 16 * kibibyte, requests: 40, atOnce: 1 },
  { size: 16 * kibibyte, requests: 160, atOnce: 16 },
  { size: mebibyte, requests: 16, atOnce: 1 },
  { size: mebibyte, requests: 32, atOnce: 8 },
  { size: 64 * mebibyte, requests: 2, atOnce: 1 },
  { size: 64 * mebibyte, requests: 4, atOnce: 4 },
]
const rounds = 7

export type Sample = {
  target: string
  verb: 'PUT' | 'GET'
  size: number
  atOnce: number
  /** MB/s of each round, ascending. */
  rates: number[]
}

/**
 * Measures PUT and GET of Pelago beside raw HTTP over loopback, and a peer if one is given: the same client, the rounds of
 * all targets taking turns, so that a noisy machine is noisy for all.
 */
export async function benchS3(peer: Target | undefined, say: (line: string) => void): Promise<Sample[]> {
  const raw = fork(join(import.meta.dirname, 'raw-server.ts'), { execArgv: ['--disable-warning=ExperimentalWarning'] })
  const port = await new Promise<number>((resolve) => raw.once('message', (port: number) => resolve(port)))
  const pelago = await startPelago()
  const key = { id: pelago.accessKeyId, secret: pelago.secretAccessKey }
  const targets: Target[] = [
    { name: 'raw', endpoint: `http://127.0.0.1:${port}`, region: 'none' },
    { name: 'pelago', endpoint: pelago.s3, key, region: pelago.region },
    ...(peer ? [peer] : []),
  ]
  const clients = targets.map((target) => ({ name: target.name, client: openBenchClient(target) }))
  const samples = new Map<string, Sample>()
  try {
    for (const { name, client } of clients) if (name !== 'raw') await client.createBucket()
    for (const load of loads) {
      const body = fresh(load.size)
      for (let round = 0; round < rounds; round++) {
        for (const verb of ['PUT', 'GET'] as const) {
          for (const { name, client } of clients) {
            const rate = await runRound(client, verb, load, body)
            const id = `${name} ${verb} ${load.size} ${load.atOnce}`
            const sample = samples.get(id) ?? { target: name, verb, size: load.size, atOnce: load.atOnce, rates: [] }
            // The first round warms everything up.
            if (round > 0) sample.rates.push(rate)
            samples.set(id, sample)
          }
        }
      }
      await checkBytes(clients, load.size, body)
      say(`measured ${load.size} bytes, ${load.atOnce} at once`)
    }
  } finally {
    for (const { client } of clients) client.close()
    raw.kill()
    await pelago.close()
  }
  for (const sample of samples.values()) sample.rates.sort((a, b) => a - b)
  return [...samples.values()]
}

async function runRound(
  client: BenchClient,
  verb: 'PUT' | 'GET',
  load: (typeof loads)[number],
  body: Uint8Array,
): Promise<number> {
  const began = performance.now()
  let next = 0
  const lane = async () => {
    while (next < load.requests) {
      const key = `${load.size}/${next++ % 32}`
      if (verb === 'PUT') await client.put(key, body)
      else {
        const { bytes } = await client.get(key, false)
        if (bytes !== load.size) throw new Error(`${bytes} of ${load.size} bytes came`)
      }
    }
  }
  await Promise.all(Array.from({ length: load.atOnce }, lane))
  return (load.requests * load.size) / 1e6 / ((performance.now() - began) / 1000)
}

/** What was measured must also be right. */
async function checkBytes(
  clients: { name: string; client: BenchClient }[],
  size: number,
  body: Uint8Array,
): Promise<void> {
  const right = createHash('md5').update(body).digest('hex')
  for (const { name, client } of clients) {
    if (name === 'raw') continue
    const { md5 } = await client.get(`${size}/0`, true)
    if (md5 !== right) throw new Error(`${name} gave other bytes than it was given`)
  }
}
