/** What providers answer and keep, what a log proves, and the small things that stand in headers. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkProof, type LogProof, proofText } from '#journal'
import { openNode } from '#storage'
import { eventsOf } from '../../../src/client/event-stream.ts'
import { systemClock } from '../../../src/host/clock.ts'
import { openDisk } from '../../../src/host/disk/disk.ts'
import { openTrustedProxies } from '../../../src/host/http/trusted-proxies.ts'
import { openFrames, readClientHello, nonceOf } from '../../../src/host/keys/unwrap-wire.ts'
import { openRandom } from '../../../src/host/random.ts'
import { openShardStore } from '../../../src/host/shards/shard-client.ts'
import { parseHead } from '../../../src/journal/head.ts'
import { sourceOf } from '../../../src/s3/copy-source.ts'
import {
  findRecords,
  headBytes,
  readIndex,
  recordBytes,
  sealRecord,
  sizeOf,
  writeIndex,
  writePreface,
} from '../../../src/storage/node/bundles/record.ts'
import { fuzzHouse } from '../house.ts'
import { heads, json, latin1, lazily, mustBeOurs, type Target } from '../target.ts'

const random = openRandom()

/** A provider that says whatever it is told to say, to everybody, and hangs up. */
const liar = lazily(async () => {
  let says: Buffer = Buffer.alloc(0)
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy())
    socket.once('data', () => {
      const cut = Math.floor(says.length / 2)
      socket.write(says.subarray(0, cut))
      setImmediate(() => socket.end(says.subarray(cut)))
    })
    socket.resume()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const shared = Buffer.alloc(32, 1)
  const store = openShardStore({ clock: systemClock, random }, { id: 'liar', endpoint }, { gateway: 'g', shared })
  return {
    store,
    says(next: Buffer) {
      says = next
    },
    async close() {
      store.close()
      await new Promise<void>((resolve) => void server.close(() => resolve()))
    },
  }
})

const names = JSON.stringify(['0'.repeat(32), '1'.repeat(32)])
const status = JSON.stringify({ usedBytes: 1, quotaBytes: 2, shards: 3, trashedShards: 4, syncs: 5 })
const shardWire: Target = {
  name: 'shard-wire',
  slow: true,
  seeds: [
    heads(`HTTP/1.1 200 OK\nContent-Length: 8\n\nabcdefgh`),
    heads(`HTTP/1.1 200 OK\nContent-Length: ${status.length}\nContent-Type: application/json\n\n${status}`),
    heads(`HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n${names.length.toString(16)}\n${names}\n0\n\n`),
    heads(`HTTP/1.1 409 Conflict\nContent-Length: 40\n\n{"code":"shard.exists","message":"there"}`),
    heads('HTTP/1.1 100 Continue\n\nHTTP/1.1 201 Created\nContent-Length: 0\n\n'),
    heads('HTTP/1.1 507 No\nContent-Length: 5\nConnection: close\n\nno\r\n.'),
  ],
  words: [
    'HTTP/1.1 ',
    '200',
    '206',
    '404',
    'Content-Length: ',
    'Transfer-Encoding: chunked\r\n',
    '\r\n\r\n',
    '0\r\n\r\n',
    '"code":"shard.',
    'HTTP/1.0 200 \r\n',
  ],
  async run(input) {
    const { store, says } = await liar.get()
    says(input)
    const name = '0'.repeat(32)
    const limited = () => AbortSignal.timeout(400)
    const write = async () => {
      const writer = store.create(name, 8, limited())
      await writer.write(Buffer.from('abcdefgh'))
      await writer.finish()
    }
    const acts: (() => Promise<unknown>)[] = [
      async () => assert.equal((await store.read(name, 0, 8, limited())).length, 8),
      write,
      () => store.trash(name, limited()),
      async () => {
        const found = await store.list('', 10, limited())
        assert.ok(found.every((one) => /^[0-9a-f]{32}$/.test(one)))
      },
      async () =>
        assert.ok(
          Object.values(await store.status(limited())).every((count) => Number.isSafeInteger(count) && count >= 0),
        ),
    ]
    for (const act of acts) {
      try {
        await act()
      } catch (error) {
        // One that does not end is given up by its own signal.
        if (error instanceof DOMException && error.name === 'TimeoutError') continue
        mustBeOurs(error)
      }
    }
  },
  close: liar.close,
}

const shardNames = Array.from({ length: 4 }, (_, at) => String(at).repeat(32))
function bundleOf(trashed: boolean): { bundle: Buffer; index: Buffer } {
  const seed = 12_345
  const preface = writePreface(seed)
  const records = shardNames.slice(0, 3).map((name, at) => {
    const length = 20 + at * 30
    const record = new Uint8Array(recordBytes(length))
    record.fill(65 + at, headBytes, headBytes + length)
    sealRecord(
      record,
      trashed && at === 1 ? { kind: 'trashed', name, length, day: 20_000 } : { kind: 'shard', name, length },
      seed,
    )
    return record
  })
  const end = new Uint8Array(recordBytes(0))
  sealRecord(end, { kind: 'trash', name: shardNames[0] as string, target: 1, day: 20_000 }, seed)
  const all = trashed ? [...records, end] : records
  return {
    bundle: Buffer.concat([preface, ...all]),
    index: Buffer.from(
      writeIndex(
        all.map((record) => record.subarray(0, headBytes)),
        seed,
      ),
    ),
  }
}

const bundles: Target = {
  name: 'bundle-records',
  seeds: [true, false].flatMap((trashed) => Object.values(bundleOf(trashed)).map(latin1)),
  words: ['PLB1', 'PLB0', 'PLBI', '\xff\xff\xff\xff', '\0\0\0\0'],
  run(input) {
    const found = findRecords(input)
    let end = 0
    for (const record of found) {
      assert.ok(record.at >= end && record.at + headBytes <= input.length, 'records lie over each other')
      end = record.at + headBytes
    }
    const preface = writePreface(12_345)
    const listed = readIndex(input, preface)
    for (const [at, record] of (listed ?? []).entries()) {
      const before = listed?.[at - 1]
      assert.equal(record.at, before ? before.at + sizeOf(before) : preface.length)
    }
  },
}

/** A node whose disk has rotted: it starts, says what it has, and never hands out more than a shard is long. */
const rottenNode: Target = {
  name: 'rotten-bundle',
  slow: true,
  seeds: [true, false].map((trashed) => latin1(bundleOf(trashed).bundle)),
  words: ['PLB1', 'PLB0', '\xff\xff\xff\xff', '\0\0\0\x08'],
  async run(input) {
    const folder = mkdtempSync(join(tmpdir(), 'pelago-rotten-'))
    try {
      mkdirSync(join(folder, 'bundles'))
      writeFileSync(join(folder, 'bundles', '00000001'), input)
      const config = {
        provider: 'p',
        quotaBytes: 1e9,
        trashMs: 1e15,
        reserveBytes: 0,
        shortBytes: 1000,
        bundleBytes: 4096,
      }
      const node = await openNode({ disk: openDisk(folder), clock: systemClock, random, log: () => {} }, config)
      for (const name of shardNames) {
        try {
          assert.equal((await node.read(name, 0, 10)).length, 10)
        } catch (error) {
          mustBeOurs(error)
        }
      }
      assert.ok(Object.values(node.status()).every((count) => Number.isSafeInteger(count) && count >= 0))
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}

const proofs = lazily(async () => {
  const house = await fuzzHouse.get()
  await house.stated(0)
  const handler = house.handlers.find(({ operation }) => operation.id === 'log.prove')
  assert.ok(handler && 'answer' in handler)
  const call = { tenant: 'acme', actor: 'ada' }
  const proof = (await handler.answer(call as never, { sequence: 2 })) as LogProof
  return { text: proofText(proof), proof, close: fuzzHouse.close }
})
const logProof: Target = {
  name: 'log-proof',
  slow: true,
  // The proof itself is another one each time; what is bent of it is chosen by these.
  seeds: ['{}', '{"entry":"x"}', '{"inclusion":[]}', '{"keys":[]}', '{"head":"pelago log"}', '{"consistency":["00"]}'],
  words: ['"log":', '"keys":', '"inclusion":', '"earlier":', '"format":', '"0"', '["'],
  async run(input) {
    const { proof, text } = await proofs.get()
    const bent = json(input)?.value
    const texts = [
      input.toString(),
      ...(typeof bent === 'object' && bent !== null ? [proofTextOf({ ...proof, ...bent })] : []),
    ]
    // One byte of a sound proof is another one.
    const flipped = Buffer.from(text)
    const at = input.length > 0 ? input.readUIntBE(0, Math.min(input.length, 3)) % flipped.length : 0
    flipped[at] = (flipped[at] as number) ^ (1 + ((input[3] ?? 0) & 0x7e))
    for (const one of [...texts, flipped.toString('latin1'), text]) {
      const { checks, entry } = checkProof(one, proof.log)
      const good = checks.every(({ fault }) => fault === undefined)
      assert.equal(good, one === text, one === text ? 'a sound proof is refused' : 'a bent proof is believed')
      if (good) assert.equal(entry?.sequence, 2)
    }
  },
  close: proofs.close,
}
function proofTextOf(proof: object): string {
  try {
    return proofText(proof as LogProof)
  } catch {
    return ''
  }
}

const logHead: Target = {
  name: 'log-head',
  seeds: [
    'pelago log 1\n3\nAAAA\n\n— pelago log AAAA\n',
    `${'a'.repeat(32)}\n12\n${'A'.repeat(43)}=\n1700000000000\n\n— ${'a'.repeat(32)} AAAA\n`,
  ],
  words: ['\n\n', '— ', '\n', 'origin', '='],
  run(input) {
    const head = parseHead(input.toString())
    if (head) assert.ok(Number.isSafeInteger(head.size) && head.size >= 0 && head.root.length === 32)
  },
}

const copySource: Target = {
  name: 'copy-source',
  seeds: ['/bucket/key', 'bucket/a%20b%2Fc?versionId=null', '/bucket/key?versionId=3'],
  words: ['%', '%2F', '?versionId=', '/', '%00', '%ff'],
  run(input) {
    try {
      const { bucket, key } = sourceOf(input.toString('latin1'))
      assert.ok(bucket.length > 0 && key.length > 0 && !bucket.includes('/'))
    } catch (error) {
      mustBeOurs(error)
    }
  },
}

const forwarded: Target = {
  name: 'forwarded',
  seeds: [
    '1.2.3.4, 10.0.0.1',
    'for="[2001:db8::1]:80";proto=https, for=10.0.0.1',
    'for=unknown',
    '[::1]:1, ::ffff:10.0.0.2',
  ],
  words: ['for=', '"', '\\', ';', ',', '10.0.0.1', '[', ']:', '_x', '%eth0'],
  run(input) {
    const said = input.toString('latin1')
    for (const header of ['X-Forwarded-For', 'Forwarded'] as const) {
      const proxies = openTrustedProxies(['10.0.0.0/8'], header)
      const headers = { [header.toLowerCase()]: said }
      const asker = proxies.askerOf('10.0.0.1', headers)
      assert.match(asker, /^[0-9a-fA-F.:]+(%.*)?$/s)
      assert.equal(proxies.askerOf('192.0.2.1', headers), '192.0.2.1')
      // Whatever a client writes in front, the last hop that is no proxy asks.
      assert.equal(
        proxies.askerOf('10.0.0.1', {
          [header.toLowerCase()]:
            header === 'Forwarded' ? 'x, for=198.51.100.7' : `${said.replaceAll(/[\r\n]/g, '')}, 198.51.100.7`,
        }),
        '198.51.100.7',
      )
    }
  },
}

const eventStream: Target = {
  name: 'event-stream',
  seeds: ['id: 1\ndata: {"a":1}\n\n: beat\n\n', 'event: problem\ndata: x\r\ndata: y\r\n\r\n', 'data\n\nid\n\n'],
  words: ['data: ', '\n\n', '\r', 'id: \0', 'event:', ':', '\ufeff'],
  async run(input) {
    async function* pieces() {
      for (let at = 0; at < input.length; at += 7) yield input.subarray(at, at + 7)
    }
    for await (const { data, id } of eventsOf(pieces(), () => {}))
      assert.ok(!(id ?? '').includes('\0') && data.length <= input.length)
  },
}

const unwrapFrames: Target = {
  name: 'unwrap-frames',
  seeds: ['\0\0\0\x24PLU1' + 'n'.repeat(32), '\0\0\0\x05hello\0\0\0\x01x'],
  words: ['\0\0\x10\0', '\xff\xff\xff\xff', 'PLU1', '\0\0\0\0'],
  run(input) {
    const frames = openFrames()
    try {
      for (let at = 0; at < input.length; at += 5) {
        for (const found of frames.push(input.subarray(at, at + 5))) {
          nonceOf(found)
          readClientHello(found)
        }
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
    }
  },
}

export const byteTargets: Target[] = [
  ...[shardWire, bundles, rottenNode, logProof, logHead, copySource, forwarded, eventStream, unwrapFrames],
]
