import type { Operation, ProcessStatus } from '#api'
import { openSealedLog, type Topic, factsAfter } from '#journal'
import type { Clock } from '#kernel'
import { type Handler, signInOperations } from '#roles'
import { defaultPolicy } from '#pool'
import { openKits, type ShardStore } from '#storage'
import { newJobId } from '#work'
import { demoOperations } from '../../src/host/demo/demo-operations.ts'
import { consoleOperations } from '../../src/host/run/console-operations.ts'
import { openSignIn } from '../../src/host/run/open-sign-in.ts'
import { accessOperations } from '../../src/roles/access-operations.ts'
import { epochOperations } from '../../src/roles/epoch-operations.ts'
import { gatewayOperations } from '../../src/roles/gateway-operations.ts'
import { kitOperations } from '../../src/roles/kit-operations.ts'
import { jobOperations } from '../../src/roles/job-operations.ts'
import { quotaOperations } from '../../src/roles/quota-operations.ts'
import { logOperations } from '../../src/roles/log-operations.ts'
import { keepPackClass, packClassOf } from '../../src/storage/index/packs.store.ts'
import { enqueueJob } from '../../src/work/job.store.ts'
import { memoryHead } from '../tools/memory-head.ts'
import { openAccessHouse } from './open-access.ts'

/** What the supervisor, which is another process, says of one that it has stopped. */
const stopped: ProcessStatus = {
  ...{ name: 'isar', role: 'provider', state: 'stopped', pid: null, since: 0, restartAt: null, restarts: 0 },
  ...{ because: '', url: 'http://127.0.0.1:1' },
}

/** Every operation of a gateway over a real index. @param given.tenant whose people sign in here */
export async function openOperations(given: {
  tenant: string
  origin: string
  rp: string
  clock?: Clock
  shards?: (provider: string) => ShardStore
}) {
  const { tenant, origin, rp, ...rest } = given
  const house = await openAccessHouse(rest)
  const ports = { ...house, database: house.index }
  const site = { rp, name: 'Test', origins: [origin], providers: [] }
  const signIn = openSignIn(ports, { api: { host: '127.0.0.1', port: 0 }, signIn: site }, tenant)
  const sealedLog = await openSealedLog({ ...ports, secret: house.keys.secret, kept: memoryHead() })
  const kinds = [{ name: 'storage.move', mend: '', step: async () => ({ next: 'done', says: '' }) as const }]
  const facts = { gateway: 'gateway', gatewayKey: '0'.repeat(64), anchor: '0'.repeat(64), required: false }
  const kits = openKits({ ...ports, root: { newest: async () => 'r' } }, facts)
  const handlers: Handler[] = [
    ...accessOperations(house.access.acts),
    ...gatewayOperations({ ...house, kits }),
    ...epochOperations({ keys: house.storage.keys }),
    ...kitOperations(kits),
    ...jobOperations(ports, kinds),
    ...quotaOperations(ports),
    ...logOperations({ ...house, sealedLog }),
    ...signInOperations(signIn),
    ...consoleOperations({ s3: { host: '127.0.0.1', port: 1, region: 'eu-central-1', hostnames: [] } }),
    ...demoOperations({ ask: async <I, O>(_: Operation<I, O>) => stopped as O }),
  ]
  return {
    ...house,
    handlers,
    signIn,
    /** A job of somebody, or of the house. */
    job: (whose: string) =>
      house.index.transact(() =>
        enqueueJob({
          ...{ id: newJobId(house), kind: 'storage.move', tenant: whose, about: 'papers', input: null },
          now: house.clock.now(),
        }),
      ),
    /** The packs of a policy, without any. */
    packs: () => house.index.transact(() => keepPackClass(packClassOf(defaultPolicy))),
    /** Topics that were stated behind the entry of this number, and the number of the last. */
    async stated(after: number): Promise<{ topics: Topic[]; last: number }> {
      while ((await sealedLog.seal()) === 'more');
      const facts = await house.index.read(() => factsAfter(after, 10_000))
      return { topics: facts.map(({ topic }) => topic as Topic), last: facts.at(-1)?.sequence ?? after }
    },
    async close() {
      await sealedLog.stop()
      await house.close()
    },
  }
}
