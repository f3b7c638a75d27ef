import { forgetBucketAccess } from '#access'
import type { SealedLog } from '#journal'
import type { Clock, EgressFetch } from '#kernel'
import { createS3, type S3Config, type S3Handler } from '#s3'
import {
  type Kits,
  type ObjectStorage,
  openStorage,
  type OpenStorage,
  type StorageLimits,
  type StoragePorts,
} from '#storage'
import { type JobKind, startWork } from '#work'
import { logOperations } from './log-operations.ts'
import { gatewayOperations } from './gateway-operations.ts'
import { type EpochPorts, epochOperations } from './epoch-operations.ts'
import { kitOperations } from './kit-operations.ts'
import { accessOperations } from './access-operations.ts'
import { type FirstKey, openAccess } from './gateway-access.ts'
import type { Handler } from './handler.ts'
import { measuredJobs } from './measured-jobs.ts'
import { jobOperations } from './job-operations.ts'
import { quotaOperations } from './quota-operations.ts'
import { logStart, logStop, type RoleName, sealLog } from './role-log.ts'

export type GatewayPorts = StoragePorts &
  Pick<EpochPorts, 'rootCounts'> & {
    kits: Kits
    sealedLog: SealedLog
    egress: EgressFetch
    /** Work of the house beside what storage and the log need. */
    jobs?: readonly JobKind[]
  }
export type GatewayConfig = {
  name: RoleName
  s3: S3Config
  limits: StorageLimits
  /** Access keys that there were before people were known; they are taken in once. */
  firstKeys: readonly FirstKey[]
}

/** A running gateway: the S3 endpoint's handler, the API's handlers, and how to stop the work behind them. */
export type Gateway = {
  s3: S3Handler
  operations: Handler[]
  storage: OpenStorage
  /** Ends background work; requests under way are the edge's to finish first. */
  stop(): Promise<void>
}

/** Composes a gateway. The first look at the providers is taken before it resolves, so that the first write knows who is there. */
export async function openGateway(ports: GatewayPorts, config: GatewayConfig): Promise<Gateway> {
  await logStart(ports, config.name)
  const access = await openAccess(ports, config.firstKeys)
  const storage = openStorage({ ...ports, forgetBucket: forgetBucketAccess }, config.limits)
  const stop = new AbortController()
  await storage.probe(stop.signal)
  const stopProbing = probeForEver(ports.clock, storage, config.limits.probeMs, stop.signal)
  const kinds = [...storage.jobs, sealLog(ports.sealedLog), ...(ports.jobs ?? [])]
  const work = startWork(
    { database: ports.index, clock: ports.clock, random: ports.random, log: ports.log },
    ports.metrics ? measuredJobs({ metrics: ports.metrics, clock: ports.clock }, kinds) : kinds,
  )
  const objects: ObjectStorage = {
    ...storage.objects,
    async deleteBucket(call, name) {
      await storage.objects.deleteBucket(call, name)
      // Its policy went with it.
      access.standing.changed()
    },
  }
  return {
    storage,
    s3: createS3({ ...ports, ...access, access: access.standing, storage: objects }, config.s3),
    operations: [
      ...gatewayOperations({ ...ports, storage }),
      ...epochOperations({ ...ports, keys: storage.keys }),
      ...kitOperations(ports.kits),
      ...quotaOperations({ database: ports.index, storage }),
      ...logOperations(ports),
      ...jobOperations({ database: ports.index, clock: ports.clock, journal: ports.journal }, kinds),
      ...accessOperations(access.acts),
    ],
    async stop() {
      stopProbing()
      stop.abort(new Error('the gateway stops'))
      await work.stop()
      await storage.close()
      await access.standing.close()
      await logStop(ports, config.name)
    },
  }
}

/** Each gateway sees for itself who answers, so this needs no lease. A round ends by its own limit before the next begins. */
function probeForEver(clock: Clock, storage: OpenStorage, everyMs: number, signal: AbortSignal): () => void {
  let cancel = () => {}
  const next = () => {
    cancel = clock.after(everyMs, () => void storage.probe(signal).then(() => signal.aborted || next()))
  }
  next()
  return () => cancel()
}
