/** The public contract as data: what can be asked, by whom, in which shape. */
export { apiError } from './errors.ts'
export type { ApiRole, Input, Operation, Output, ServerName } from './operation.ts'
export {
  type ApiBucket,
  createBucket,
  type Finding,
  getBucketPolicy,
  getDirectory,
  getHealth,
  getStatus,
  listBuckets,
  listProviders,
  operations,
  type ProcessStatus,
  runDoctor,
  setBucketEtags,
  setBucketPolicy,
  startProvider,
  stopProvider,
  whereObject,
} from './operations.ts'
export { type ApiPolicy, policySchema } from './policy-schema.ts'
export { errorOf, type Problem, problemOf } from './problem.ts'
export {
  choice,
  exactly,
  type Fault,
  faultOf,
  fields,
  flag,
  integer,
  json,
  list,
  nullable,
  number,
  optional,
  record,
  type Schema,
  type Static,
  text,
} from './schema.ts'
export { checkOutput, inputOf, matchOperation, requestOf } from './wire.ts'
