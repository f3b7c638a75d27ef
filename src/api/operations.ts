import { getStatus, getHealth, runDoctor } from './operations/status.ts'
import { listProviders, stopProvider, startProvider } from './operations/provider.ts'
import { listBuckets, createBucket, getBucketPolicy, setBucketPolicy, setBucketEtags } from './operations/bucket.ts'
import { getLog, listHeads, listLog, proveEntry, rotateLogKey } from './operations/log.ts'
import { whereObject } from './operations/object.ts'
import { getDirectory } from './operations/directory.ts'

/** Every operation, for servers and documentation to walk over. */
export const operations = {
  getStatus,
  getHealth,
  listProviders,
  stopProvider,
  startProvider,
  runDoctor,
  listBuckets,
  createBucket,
  getBucketPolicy,
  setBucketPolicy,
  setBucketEtags,
  whereObject,
  listLog,
  listHeads,
  getLog,
  proveEntry,
  rotateLogKey,
  getDirectory,
}
