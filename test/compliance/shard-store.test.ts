import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock, Log } from '#kernel'
import { type Node, type NodeConfig, openNode, rawPublicKey, type ShardStore, sharedKey } from '#storage'
import { openMemoryDisk } from '../../sim/ports/disk.ts'
import { systemClock } from '../../src/host/clock.ts'
import { openDisk } from '../../src/host/disk/disk.ts'
import { openRandom } from '../../src/host/random.ts'
import { openShardStore } from '../../src/host/shards/shard-client.ts'
import { openShardServer } from '../../src/host/shards/shard-server.ts'
import type { TlsListen } from '../../src/host/tls/tls-edge.ts'
import { openTlsLink } from '../../src/host/tls/tls-link.ts'
import { checkCertificate } from '#trust'
import { changingSource, testAuthority } from '../tools/test-authority.ts'
import { shardStoreSuite } from './shard-store.suite.ts'

const clock: Clock = systemClock
const random = openRandom()
const log: Log = () => {}
const quotaBytes = 8 * 1024 * 1024
const config = {
  provider: 'p',
  quotaBytes,
  trashMs: 14 * 86_400_000,
  reserveBytes: 0,
  shortBytes: 0,
  bundleBytes: 4096,
}
/** Shards of both kinds, and bundles that are soon full. */
const bundled = { ...config, shortBytes: 2000, bundleBytes: 8192 }

/** The node as a gateway in the same process would see it. */
function direct(node: () => Node): ShardStore {
  return {
    create(name, length) {
      const writer = node().create(name, length)
      writer.catch(() => 'thrown by the first write')
      return {
        write: async (bytes) => (await writer).write(bytes),
        finish: async () => (await writer).finish(),
        abort: () => void writer.then((open) => open.abort()),
      }
    },
    async read(name, offset, length, signal) {
      signal.throwIfAborted()
      return node().read(name, offset, length)
    },
    trash: (name) => node().trash(name),
    list: (after, limit) => node().list(after, limit),
    status: async () => node().status(),
  }
}

const inMemory = (config: NodeConfig) => async () => {
  const disk = openMemoryDisk({ clock, random })
  const open = () => openNode({ disk: disk.connect(), clock, random, log }, config)
  let node = await open()
  return {
    store: direct(() => node),
    quotaBytes,
    bundled: config.shortBytes > 0,
    async restart() {
      disk.crash()
      node = await open()
    },
    close: async () => {},
  }
}
shardStoreSuite('node over a disk in memory', inMemory(config))
shardStoreSuite('node over a disk in memory, short shards in bundles', inMemory(bundled))

shardStoreSuite('node over a folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pelago-node-'))
  const open = () => openNode({ disk: openDisk(folder), clock, random, log }, bundled)
  let node = await open()
  return {
    store: direct(() => node),
    quotaBytes,
    bundled: true,
    async restart() {
      node = await open()
    },
    close: () => rm(folder, { recursive: true }),
  }
})

const overTheWire = (way: { direct: boolean }, secure?: 'tls') => async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pelago-node-'))
  const [gateway, provider] = [generateKeyPairSync('x25519'), generateKeyPairSync('x25519')]
  const [gatewayKey, providerKey] = [rawPublicKey(gateway.publicKey), rawPublicKey(provider.publicKey)]
  const { tls, link, pin } = secure ? await linked() : {}
  const shared = sharedKey(provider.privateKey, gatewayKey, gatewayKey, providerKey)
  const gateways = new Map([['g', { shared, pin }]])
  const start = async (port: number) => {
    const node = await openNode({ disk: openDisk(folder), clock, random, log }, bundled)
    return openShardServer({ node, gateways, clock, log, provider: 'p' }, { host: '127.0.0.1', port, ...way, tls })
  }
  let server = await start(0)
  const store = openShardStore(
    { clock, random },
    { id: 'p', endpoint: `http${secure ? 's' : ''}://127.0.0.1:${server.port}` },
    { gateway: 'g', shared: sharedKey(gateway.privateKey, providerKey, gatewayKey, providerKey) },
    link,
  )
  return {
    store,
    quotaBytes,
    bundled: true,
    async restart() {
      await server.close()
      server = await start(server.port)
    },
    async close() {
      store.close()
      await server.close()
      await rm(folder, { recursive: true })
    },
  }
}

/** Both ends of a connection by TLS, each with a certificate that the other one judges. */
async function linked() {
  const { authority, issue } = await testAuthority()
  const [gateway, provider] = [await issue('gateway', 'g'), await issue('provider', 'p')]
  const known = { authority: authority.certificate, role: 'gateway', peer: 'a caller' } as const
  const tls: TlsListen = {
    source: changingSource(provider),
    judge: (shown) => ({ ...checkCertificate(shown, { ...known, now: clock.now() }), pin: gateway.pin }),
  }
  const to = { role: 'provider', id: 'p', pin: provider.pin, peer: 'provider p' } as const
  const link = openTlsLink(
    { clock },
    { source: changingSource(gateway), authority: () => authority.certificate, ...to },
  )
  return { tls, link, pin: gateway.pin }
}

shardStoreSuite('over the wire', overTheWire({ direct: true }))
shardStoreSuite('over the wire, where Node copies what comes', overTheWire({ direct: false }))
shardStoreSuite('over TLS', overTheWire({ direct: true }, 'tls'))
shardStoreSuite('over TLS, where Node copies what comes', overTheWire({ direct: false }, 'tls'))
