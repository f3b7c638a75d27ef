import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { rawPublicKey, sharedKey } from '#storage'
import { systemClock } from '../clock.ts'
import { freshRoot, rootOf } from './root-file.ts'
import { openUnwrapClient } from './unwrap-client.ts'
import { openUnwrapServer } from './unwrap-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'pelago-unwrap-'))
after(() => rmSync(folder, { recursive: true }))

const keyPair = () => {
  const { privateKey } = generateKeyPairSync('x25519')
  return { privateKey, raw: rawPublicKey(createPublicKey(privateKey)) }
}
const holder = keyPair()
const gateway = keyPair()
const stranger = keyPair()
const keys = [freshRoot(1)]
const lines: string[] = []
const log = (...line: unknown[]) => void lines.push(JSON.stringify(line))
const epoch = 'pelago epoch 0123456789abcdef 1'
let next = 0

async function open(limits: { perSecond?: number; burst?: number; socket?: string } = {}) {
  const socket = limits.socket ?? join(folder, `socket-${next++}`)
  const shared = sharedKey(holder.privateKey, gateway.raw, gateway.raw, holder.raw)
  const config = {
    socket,
    gateways: new Map([['gateway', shared]]),
    group: false,
    perSecond: 1000,
    burst: 1000,
    ...limits,
  }
  const server = await openUnwrapServer({ clock: systemClock, log, root: rootOf(keys) }, { ...config, socket })
  return { socket, server }
}
const clientOf = (socket: string, own = gateway, name = 'gateway', theirs = holder.raw) =>
  openUnwrapClient(
    { clock: systemClock },
    { socket, gateway: name, shared: sharedKey(own.privateKey, theirs, own.raw, theirs) },
  )

test('keys of epochs are wrapped and opened; nothing else is, and the root key is not told', async (t) => {
  const { socket, server } = await open()
  const client = clientOf(socket)
  t.after(async () => {
    client.close()
    await server.close()
  })
  assert.equal(statSync(socket).mode & 0o777, 0o600)
  const plain = randomBytes(64)
  const wrapped = await client.wrap(plain, epoch)
  assert.equal(wrapped.root, keys[0]?.id)
  assert.deepEqual(Buffer.from(await client.unwrap(wrapped, epoch)), plain)
  const again = await client.rewrap(wrapped, epoch)
  assert.deepEqual(Buffer.from(await client.unwrap(again, epoch)), plain)
  await assert.rejects(client.unwrap(wrapped, 'pelago epoch 0123456789abcdef 2'), { code: 'key.root' })
  await assert.rejects(client.unwrap(wrapped, 'pelago root file 1 x'), { message: /unwrap\.foreign/ })
  await assert.rejects(client.wrap(randomBytes(32), epoch), { message: /unwrap\.foreign/ })
  assert.deepEqual(await client.counts(), { newest: 0, wrap: 2, unwrap: 4, rewrap: 1, count: 1, refused: 3 })
  const said = lines.join('\n')
  assert.match(said, /epoch\.unwrapped.*0123456789abcdef 1/)
  for (const secret of [plain, keys[0]?.key as Uint8Array])
    for (const form of ['hex', 'base64', 'base64url'] as const)
      assert.ok(!said.includes(Buffer.from(secret).toString(form)))
  // Hundreds at once come back each to whoever asked.
  const many = await Promise.all(Array.from({ length: 300 }, (_, at) => client.wrap(Buffer.alloc(64, at), epoch)))
  const opened = await Promise.all(many.map((one) => client.unwrap(one, epoch)))
  opened.forEach((one, at) => assert.deepEqual(Buffer.from(one), Buffer.alloc(64, at)))
})

test('who is not enrolled learns nothing, and a gateway does not trust who sits in the place of the process', async (t) => {
  const { socket, server } = await open()
  t.after(() => server.close())
  for (const client of [
    clientOf(socket, stranger),
    clientOf(socket, gateway, 'gateway-9'),
    clientOf(socket, gateway, 'gateway', stranger.raw),
  ]) {
    await assert.rejects(client.newest(), { code: 'key.unavailable' })
    client.close()
  }
})

test('what is no question ends the connection and nothing else', async (t) => {
  const { socket, server } = await open()
  const client = clientOf(socket)
  t.after(async () => {
    client.close()
    await server.close()
  })
  for (const noise of [Buffer.alloc(8, 0xff), Buffer.from([0, 0, 0, 1, 1]), randomBytes(5000)]) {
    const peer = createConnection(socket)
    peer.resume()
    peer.on('error', () => 'it hangs up')
    peer.write(noise)
    await new Promise((resolve) => peer.once('close', resolve))
  }
  assert.equal(await client.newest(), keys[0]?.id)
})

test('who asks too much waits', async (t) => {
  const { socket, server } = await open({ burst: 3, perSecond: 1 })
  const client = clientOf(socket)
  t.after(async () => {
    client.close()
    await server.close()
  })
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => client.newest()))
  const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []))
  assert.deepEqual(refused, ['key.busy', 'key.busy'])
})

test('a process that is gone is said to be, and one that comes back is asked again', async (t) => {
  const { socket, server } = await open()
  const client = clientOf(socket)
  assert.equal(await client.newest(), keys[0]?.id)
  await server.close()
  await assert.rejects(client.newest(), { code: 'key.unavailable', retryable: true })
  const again = await open({ socket })
  t.after(async () => {
    client.close()
    await again.server.close()
  })
  assert.equal(await client.newest(), keys[0]?.id)
})
