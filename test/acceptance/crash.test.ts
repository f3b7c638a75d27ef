import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type BenchClient, openBenchClient } from '../../bench/client.ts'
import { type Pelago, startPelago } from './start-pelago.ts'

/** Longer by hand: PELAGO_CRASH_SECONDS=600 npm test -- test/acceptance/crash.test.ts */
const seconds = Number(process.env.PELAGO_CRASH_SECONDS ?? 25)
const strace = '/usr/bin/strace'
const writers = 4

describe('processes that are killed under load', () => {
  let pelago: Pelago
  let client: BenchClient
  before(async () => {
    pelago = await startPelago()
    client = openBenchClient({
      name: 'crash',
      endpoint: pelago.s3,
      key: { id: pelago.accessKeyId, secret: pelago.secretAccessKey },
      region: pelago.region,
    })
    await client.createBucket()
  })
  after(async () => {
    client.close()
    await pelago.close()
  })
  type Process = { name: string; role: string; state: string; pid: number | null }
  const processes = async (): Promise<Process[]> => {
    const { out } = await pelago.cli('status', '--json')
    return (JSON.parse(out) as { status?: { processes: Process[] } }).status?.processes ?? []
  }
  const alive = async () => {
    const { out } = await pelago.cli('provider', 'list', '--json')
    return (JSON.parse(out) as { providers: { id: string; state: string; pid: number }[] }).providers.filter(
      ({ state }) => state === 'running',
    )
  }

  test('every acknowledged object is there, byte by byte; nothing is half there', async () => {
    /** What each key must hold; more than one where nobody was told the outcome. Each key has one writer. */
    const possible = new Map<string, Set<string>>()
    const absent = 'absent'
    let acknowledged = 0
    let refused = 0
    let stop = false
    const write = async (writer: number) => {
      for (let turn = 0; !stop; turn++) {
        const key = `w${writer}/k${turn % 12}`
        const body = randomBytes([100, 5000, 200_000, 3_000_000][turn % 4] as number)
        const md5 = createHash('md5').update(body).digest('hex')
        const before = possible.get(key) ?? new Set([absent])
        possible.set(key, new Set([...before, md5]))
        try {
          await client.put(key, body)
          possible.set(key, new Set([md5]))
          acknowledged++
        } catch {
          refused++
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
      }
    }
    const writing = Array.from({ length: writers }, (_, writer) => write(writer))
    const end = performance.now() + seconds * 1000
    let kills = 0
    while (performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 2500))
      const up = await alive()
      // Never more than two of the six that matter at a time: that is the promise.
      const victim = up.length > 5 ? up[Math.floor(Math.random() * up.length)] : undefined
      if (victim && Math.random() < 0.6) process.kill(victim.pid, 'SIGKILL')
      else {
        const gateway = (await processes()).find(({ role }) => role === 'gateway')
        if (gateway?.pid) process.kill(gateway.pid, 'SIGKILL')
      }
      kills++
    }
    stop = true
    await Promise.all(writing)
    for (let wait = 0; ; wait++) {
      const all = await processes()
      if (all.length > 0 && all.every(({ state }) => state === 'running')) break
      assert.ok(wait < 120, `processes do not come back: ${JSON.stringify(all)}`)
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    assert.ok(kills > 3 && acknowledged > 20, `${kills} kills, ${acknowledged} acknowledged, ${refused} refused`)
    for (const [key, contents] of possible) {
      const found = await client.get(key, true).then(
        ({ md5 }) => md5 as string,
        (error: Error) => (error.message.includes('404') ? absent : `error: ${error.message}`),
      )
      assert.ok(contents.has(found), `${key} holds ${found}, which was never stored there`)
    }
    console.log(
      `${kills} kills, ${acknowledged} writes acknowledged, ${refused} refused, ${possible.size} keys read back`,
    )
  })

  /** Puts an object of so many bytes and counts the syncs of every provider and of the gateway meanwhile. */
  const countSyncs = async (size: number): Promise<Map<string, number>> => {
    const folder = await mkdtemp(join(tmpdir(), 'pelago-strace-'))
    const gateway = (await processes()).find(({ role }) => role === 'gateway')
    const traced = [
      ...(await alive()).map(({ id, pid }) => ({ id, pid })),
      { id: 'gateway', pid: gateway?.pid as number },
    ]
    const tracers = traced.map(({ id, pid }) =>
      spawn(strace, ['-f', '-e', 'trace=fsync,fdatasync', '-p', String(pid), '-o', join(folder, id)], {
        stdio: ['ignore', 'ignore', 'pipe'],
      }),
    )
    await Promise.all(tracers.map((tracer) => new Promise((resolve) => tracer.stderr.once('data', resolve))))
    await new Promise((resolve) => setTimeout(resolve, 300))
    await client.put('synced', randomBytes(size))
    for (const tracer of tracers) tracer.kill('SIGINT')
    await Promise.all(tracers.map((tracer) => new Promise((resolve) => tracer.once('exit', resolve))))
    const counts = new Map<string, number>()
    for (const { id } of traced) {
      const text = await readFile(join(folder, id), 'utf8')
      counts.set(id, text.match(/(fsync|fdatasync)\(/g)?.length ?? 0)
    }
    await rm(folder, { recursive: true })
    return counts
  }

  test('an acknowledgement waits for the syncs of providers and index', {
    skip: !existsSync(strace) && 'strace is not installed; enable with: sudo apt-get install -y strace',
  }, async () => {
    // Short shards go into a bundle that is open; long ones have files of their own.
    for (const [size, each] of [
      [100_000, 1],
      [3_000_000, 2],
    ] as const) {
      const counts = await countSyncs(size)
      const holders = [...counts].filter(([id, count]) => id !== 'gateway' && count >= each)
      assert.ok(holders.length >= 6, `${each} syncs at each of six for ${size} bytes: ${JSON.stringify([...counts])}`)
      // A pack is mostly planned in the commit of the one before.
      assert.ok((counts.get('gateway') ?? 0) >= each, `plan and commit are synced: ${JSON.stringify([...counts])}`)
    }
  })
})
