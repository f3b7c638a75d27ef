import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '#kernel'
import { demoPool } from '#pool'
import { defaultLimits, openKeyStore, openStorage, type RootKey, type ShardStore } from '#storage'
import { keySchemas, indexSchemas } from '../../src/host/run/schemas.ts'
import { openSqlite } from '../../src/host/database/sqlite.ts'
import { openEgress } from '../../src/host/http/egress.ts'
import { openOffload } from '../../src/host/offload/offload.ts'
import { openRandom } from '../../src/host/random.ts'
import { openAccess } from '../../src/roles/gateway-access.ts'
import { systemClock } from '../../src/host/clock.ts'

/** A root key that hides nothing: what is tested here lies above it. */
const root: RootKey = {
  newest: async () => 'r',
  wrap: async (plain) => ({ root: 'r', wrapped: plain.slice() }),
  unwrap: async ({ wrapped }) => wrapped.slice(),
  rewrap: async (from) => from,
}

/**
 * Access and storage of a gateway over a real index.
 * @param given.shards what its providers keep; without, they are listed and do not answer: what needs none can be asked
 */
export async function openAccessHouse({
  origins = [],
  clock = systemClock,
  shards = () => {
    throw new Error('nobody is there')
  },
}: {
  origins?: string[]
  clock?: Clock
  shards?: (provider: string) => ShardStore
} = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'pelago-access-'))
  const index = await openSqlite({ file: join(folder, 'index.db'), schemas: indexSchemas })
  const keyDatabase = await openSqlite({ file: join(folder, 'keys.db'), schemas: keySchemas })
  const random = openRandom()
  const offload = openOffload()
  const log = () => {}
  const keys = openKeyStore({ clock, database: keyDatabase, random, root, log })
  const journal = { nameKey: random.bytes(32) }
  const ports = { clock, random, offload, log, index, journal, keys, egress: openEgress({ origins }) }
  const access = await openAccess(ports, [])
  const providers = demoPool.map((facts) => ({
    ...facts,
    ...{ endpoint: 'http://127.0.0.1:9', publicKey: '0'.repeat(64), capacityBytes: 1e12 },
  }))
  const directory = () => ({ version: 1, issuedAt: 0, expiresAt: 1e15, providers })
  const storage = openStorage({ ...ports, directory, shards }, defaultLimits)
  return {
    ...ports,
    access,
    storage,
    directory,
    async close() {
      await access.standing.close()
      await index.close()
      await keyDatabase.close()
      await offload.close()
      rmSync(folder, { recursive: true })
    },
  }
}
