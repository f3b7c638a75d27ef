import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import type { HashAlgorithm } from '#kernel'
import { systemClock } from './clock.ts'
import { openLog } from './log.ts'
import { openOffload } from './offload/offload.ts'
import { openRandom } from './random.ts'

const sizes = fc.array(fc.integer({ min: 0, max: 400_000 }), { maxLength: 12 })
const algorithm = fc.constantFrom<HashAlgorithm>('md5', 'sha1', 'sha256', 'sha512')

test('hashes on threads equal hashes here, whatever the pieces and however many at once', async () => {
  const offload = openOffload(2)
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ sizes, algorithm }), { minLength: 1, maxLength: 6 }), async (jobs) => {
        await Promise.all(
          jobs.map(async ({ sizes, algorithm }, job) => {
            const away = offload.hash(algorithm)
            const here = createHash(algorithm)
            for (const [piece, size] of sizes.entries()) {
              const bytes = Buffer.alloc(size, job * 31 + piece)
              here.update(bytes)
              await away.update(bytes)
              // The promise has settled, so the caller may use its memory again.
              bytes.fill(0)
            }
            assert.deepEqual(Buffer.from(await away.digest()), here.digest())
          }),
        )
      }),
      { numRuns: 25 },
    )
  } finally {
    await offload.close()
  }
})

test('a dropped hash leaves its lane usable, and a closed lane refuses with its code', async () => {
  const offload = openOffload(1)
  const big = Buffer.alloc(9 * 1024 * 1024, 7)
  const dropped = offload.hash('md5')
  await dropped.update(big)
  dropped.drop()
  const kept = offload.hash('sha256')
  await kept.update(big)
  assert.deepEqual(Buffer.from(await kept.digest()), createHash('sha256').update(big).digest())
  const late = offload.hash('md5')
  await late.update(big.subarray(0, 100_000))
  await offload.close()
  await assert.rejects(
    async () => late.update(big),
    (error: { code?: string }) => error.code === 'offload.lost',
  )
})

test('a module compiled off the thread works', async () => {
  const offload = openOffload(1)
  const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
  assert.deepEqual(new WebAssembly.Instance(await offload.compile(empty)).exports, Object.create(null))
  await offload.close()
})

test('random bytes have the length asked for and never repeat', () => {
  const random = openRandom()
  const seen = new Set<string>()
  for (const length of [0, 1, 16, 32, 1024, 1025, 5000]) assert.equal(random.bytes(length).length, length)
  for (let draw = 0; draw < 2000; draw++) seen.add(Buffer.from(random.bytes(16)).toString('hex'))
  assert.equal(seen.size, 2000)
})

test('the clock waits, and a cancelled wait never comes', async () => {
  const before = systemClock.now()
  const cancel = systemClock.after(5, () => assert.fail('cancelled'))
  cancel()
  await new Promise<void>((resolve) => systemClock.after(20, resolve))
  assert.ok(systemClock.now() - before >= 19)
  // Longer than a platform timer can wait: it would fire at once if it were handed over as it is.
  const far = systemClock.after(2 ** 31, () => assert.fail('fired at once'))
  await new Promise<void>((resolve) => systemClock.after(20, resolve))
  far()
})

test('a log line is JSON, private, and withholds what is named like a secret', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pelago-log-'))
  try {
    const file = join(folder, 'deep', 'role.log')
    const opened = openLog({ now: () => 0, after: () => () => {} }, { file })
    opened.log('warn', 'provider.dark', { provider: 'fjord', secretKey: 'abc', long: 'x'.repeat(5000) })
    opened.close()
    opened.log('info', 'too.late')
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    assert.equal(lines.length, 1)
    const line = JSON.parse(lines[0] as string) as Record<string, string>
    assert.equal(line.time, '1970-01-01T00:00:00.000Z')
    assert.equal(line.provider, 'fjord')
    assert.equal(line.secretKey, '(withheld)')
    assert.ok((line.long as string).length < 2010)
    assert.equal(statSync(file).mode & 0o777, 0o600)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
