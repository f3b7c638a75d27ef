import assert from 'node:assert/strict'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { describe, test } from 'node:test'
import { openBodies } from '../bench/s3/bodies.ts'
import type { Job } from '../bench/s3/job.ts'
import { openLane } from '../bench/s3/lane.ts'
import { openLoad } from '../bench/s3/load.ts'
import { readOptions } from '../bench/s3/options.ts'
import { openPlainCode, slowCode } from '../bench/s3/plain-code.ts'
import { type Cell, cellsOf, kib, mib, nameOf, targetCells } from '../bench/s3/plan.ts'
import { startHelper } from '../bench/s3/processes.ts'
import { openRelay } from '../bench/s3/relay.ts'
import type { Results, Round, VariantName } from '../bench/s3/results.ts'
import { verdictsOf } from '../bench/s3/verdicts.ts'

describe('what the bench compares with', () => {
  const bodies = openBodies('00'.repeat(32))
  for (const size of [10, 64, 1000, 200_000]) {
    test(`an object of ${size} bytes is known from every offset, and one wrong bit is seen`, () => {
      const whole = Buffer.concat([...bodies.pieces('key', size)])
      assert.equal(whole.length, size)
      for (const from of [0, 1, 9, 63, 64, 65, 999].filter((offset) => offset < size)) {
        assert.ok(bodies.match('key', size, from, whole.subarray(from)))
      }
      for (const at of [0, size >> 1, size - 1]) {
        const wrong = Buffer.from(whole)
        wrong[at] = (wrong[at] as number) ^ 1
        assert.ok(!bodies.match('key', size, 0, wrong))
      }
      assert.ok(!bodies.match('other', size, 0, whole))
    })
  }

  test('its own code is the code that its description says', () => {
    const code = openPlainCode(64)
    for (const [shard, bytes] of code.shards.entries()) {
      for (let at = 0; at < bytes.length; at++) bytes[at] = (shard * 71 + at * 37) & 0xff
    }
    code.encode()
    for (let at = 0; at < 64; at++) {
      const column = code.shards.map((shard) => shard[at] as number)
      assert.deepEqual(column.slice(4), slowCode(column.slice(0, 4)))
    }
    assert.deepEqual(slowCode([0, 0x80, 0, 0]), [0x80, 0x1d], 'twice 0x80 is 0x1d')
  })
})

describe('a lane', () => {
  const ask = { head: Buffer.from('GET / HTTP/1.1\r\n\r\n'), bodiless: false }
  const answers: [name: string, pieces: string[], status: number, bytes: number][] = [
    ['in one piece', ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc'], 200, 3],
    ['torn anywhere', ['HTTP/1.1 2', '00 OK\r\ncontent-le', 'ngth: 3\r\n\r', '\na', 'bc'], 200, 3],
    ['after a 100', ['HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx'], 200, 1],
    ['in chunks', ['HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n', '2\r\nab\r\n', '0\r\n\r\n'], 404, 12],
    ['without a body', ['HTTP/1.1 204 No Content\r\n\r\n'], 204, 0],
  ]
  for (const [name, pieces, status, bytes] of answers) {
    test(`reads an answer ${name}`, async () => {
      await served(pieces, async (port) => {
        const lane = openLane('127.0.0.1', port)
        for (let turn = 0; turn < 2; turn++) {
          const answer = await lane.send(ask)
          assert.deepEqual([answer.status, answer.bytes], [status, bytes])
        }
        lane.close()
      })
    })
  }

  test('says that the other side hung up, and dials again for the next request', async () => {
    await served(['hang up'], async (port) => {
      const lane = openLane('127.0.0.1', port)
      for (let turn = 0; turn < 2; turn++) await assert.rejects(lane.send(ask), /hung up|closed|ECONNRESET/)
      lane.close()
    })
  })

  test('through a relay gets the same answers, and the relay counts both ways', async () => {
    await served(['HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc'], async (to) => {
      const listen = await new Promise<number>((resolve) => {
        const probe = createServer().listen(0, '127.0.0.1', () => {
          const { port } = probe.address() as AddressInfo
          probe.close(() => resolve(port))
        })
      })
      const relay = await openRelay([{ name: 'p', listen, to }])
      const lane = openLane('127.0.0.1', listen)
      try {
        const ways = [{}, { roundTripMs: 4, bytesPerSecond: 1e6 }, { slow: { firstMs: 3, bytesPerSecond: 1e5 } }]
        for (const way of ways) {
          await relay.set('p', way)
          assert.deepEqual(await lane.send(ask), { status: 200, bytes: 3, said: '' })
        }
        const counted = (await relay.take()).p
        assert.equal(counted?.upBytes, 3 * ask.head.length)
        assert.equal(counted?.downBytes, 3 * 41)
      } finally {
        lane.close()
        relay.close()
      }
    })
  })

  /** Answers each request with these pieces, one after the other. */
  async function served(pieces: string[], act: (port: number) => Promise<void>): Promise<void> {
    const server: Server = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => socket.destroy())
      socket.on('data', () => {
        if (pieces[0] === 'hang up') return void socket.end()
        const send = (at: number) => {
          if (at < pieces.length) socket.write(pieces[at] as string, () => setImmediate(send, at + 1))
        }
        send(0)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      await act((server.address() as AddressInfo).port)
    } finally {
      server.close()
    }
  }
})

describe('the load process', () => {
  test('counts what was answered, and says when other bytes come than were written', async () => {
    const server = startHelper('raw-server.ts')
    const load = openLoad()
    try {
      const endpoint = `http://127.0.0.1:${String(await server.ask())}`
      const job: Job = {
        ...{ target: { name: 'bare', endpoint, region: 'none' }, bucket: 'bytes/70000', seed: '11'.repeat(32) },
        ...{ verb: 'PUT', size: 70_000, count: 9, atOnce: 4, readFrom: 'r', keys: 2, writeTo: 'w', compare: true },
      }
      const wrote = await load.run(job)
      assert.deepEqual([wrote.failed, wrote.bytes, wrote.latencies.length], [0, 9 * 70_000, 9])
      // The server forgets what it was given and answers with bytes of its own.
      const read = await load.run({ ...job, verb: 'GET' })
      assert.equal(read.failed, 9)
      assert.match(read.failures[0] ?? '', /other bytes came/)
      const unseen = await load.run({ ...job, verb: 'GET', compare: false })
      assert.deepEqual([unseen.failed, unseen.bytes], [0, 9 * 70_000])
      const short = await load.run({ ...job, verb: 'GET', size: 70_001, compare: false })
      assert.match(short.failures[0] ?? '', /70000 bytes came instead of 70001/)
    } finally {
      load.close()
      server.close()
    }
  })
})

describe('options', () => {
  const read = (...words: string[]) => readOptions(words, {})
  test('without words are what the targets need', () => {
    const options = read()
    assert.ok(options !== 'help')
    assert.deepEqual(options.cells, targetCells)
  })
  test('a choice is a matrix of what makes sense', () => {
    const options = read('--sizes', '1k,1m', '--verbs', 'range,list', '--concurrency', '1,16', '--cold')
    assert.ok(options !== 'help')
    assert.deepEqual(options.cells.map(nameOf), ['RANGE 1 MiB, 1 at once, cold', 'RANGE 1 MiB, 16 at once, cold'])
  })
  test('the cells of the WAN come last, so that each federation is started once', () => {
    const matrix = {
      verbs: ['PUT'],
      sizes: [mib],
      concurrency: [1],
      states: ['slow', 'healthy'],
      cold: [false],
    } as const
    assert.deepEqual(cellsOf({ ...matrix, wan: [true, false] }).map(nameOf), [
      'PUT 1 MiB, 1 at once',
      'PUT 1 MiB, 1 at once, one provider 10 times slower',
      'PUT 1 MiB, 1 at once, WAN',
    ])
  })
  for (const words of [
    ['--sizes', '1x'],
    ['--verbs', 'post'],
    ['--states', 'ill'],
    ['--rounds', '0'],
    ['--quick', '--full'],
    ['--peer', 'http://127.0.0.1:1'],
    ['--what'],
  ]) {
    test(`${words.join(' ')} is refused in words`, () => assert.throws(() => read(...words), /[a-z]/))
  }
})

describe('verdicts', () => {
  const put64 = targetCells[0] as Cell
  const get1 = targetCells.find(({ verb, size }) => verb === 'GET' && size === kib) as Cell
  const options = readOptions(['--sizes', '1k,64m'], {})
  assert.ok(options !== 'help')
  const sample = (cell: Cell, variant: VariantName, ...rounds: Partial<Round>[]) => ({
    ...{ cell, variant, p50Ms: 1, p99Ms: 1, maxMs: 1, compared: 1, failures: [] as string[] },
    rounds: rounds.map((round) => ({
      ...{ requests: 100, failed: 0, seconds: 1, bytes: 1e8, p50Ms: 1, p99Ms: 1 },
      ...{ cpuMs: undefined, loadCpuMs: 1, othersShare: 0 },
      ...round,
    })),
  })
  const judged = (...samples: ReturnType<typeof sample>[]) => {
    const results: Results = { at: '', kernel: [2e8], samples, memory: [], roundTrips: {}, broken: [], notes: [] }
    return verdictsOf(results, options).map(({ state, says }) => `${state} ${says}`)
  }
  test('a must that is reached passes, by the median of its rounds', () => {
    const [says, ...rest] = judged(sample(put64, 'pelago', { bytes: 1e8 }, { bytes: 1 }, { bytes: 1.5e8 }))
    assert.match(says ?? '', /^passed 1 .*: 0\.500 \(at least 0\.45; aim 0\.7\)$/)
    assert.deepEqual(rest, ['passed no request of 300 failed, and 1 objects were read back byte by byte'])
  })
  test('a must that is missed fails', () => {
    assert.match(judged(sample(put64, 'pelago', { bytes: 8e7 }))[0] ?? '', /^FAILED 1 .*: 0\.400/)
  })
  test('an aim that is reached is said', () => {
    const [says] = judged(sample(get1, 'pelago', { requests: 60 }), sample(get1, 'bare', { requests: 100 }))
    assert.match(says ?? '', /^passed 5 .*: 0\.600 .*reached\)$/)
  })
  test('requests that failed fail the run, whatever the speed', () => {
    const bad = { ...sample(get1, 'pelago', { failed: 3 }), failures: ['GET: 503'] }
    assert.match(judged(bad).at(-1) ?? '', /^FAILED GET 1 KiB, 64 at once, pelago: 3 of 100 requests failed; GET: 503$/)
  })
})
