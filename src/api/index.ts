/** The public contract as data: what can be asked, by whom, in which shape. */
export type { Contract } from './describe/contract.ts'
export { matrixOf, matrixText } from './describe/matrix.ts'
export { openApiOf } from './describe/openapi.ts'
export { referenceOf } from './describe/reference.ts'
export { apiError } from './errors.ts'
export {
  type ApiRole,
  apiRoles,
  type Idempotency,
  type Input,
  mayAsk,
  type Operation,
  type Output,
  type Reach,
  type ServerName,
  type States,
} from './operation.ts'
export { operations } from './operations.ts'
export { describeApi } from './operations/api.ts'
export {
  type Finding,
  getHealth,
  getStatus,
  type ProcessStatus,
  runDoctor,
  watchHealth,
  watchStatus,
} from './operations/status.ts'
export { listProviders, startProvider, stopProvider } from './operations/provider.ts'
export {
  type ApiBucket,
  createBucket,
  getBucket,
  getBucketPolicy,
  listBuckets,
  setBucketEtags,
  setBucketPolicy,
} from './operations/bucket.ts'
export { getLog, listHeads, listLog, proveEntry, rotateLogKey } from './operations/log.ts'
export {
  addToGroup,
  type ApiGroup,
  type ApiIssuer,
  type ApiKey,
  type ApiPerson,
  type ApiStsRole,
  type ApiTenant,
  createGroup,
  createKey,
  createPerson,
  createStsRole,
  createTenant,
  deleteAccessPolicy,
  deleteBucketAccess,
  deleteGroup,
  deleteIssuer,
  deleteKey,
  deletePerson,
  deleteStsRole,
  getBucketAccess,
  listAccessPolicies,
  listGroups,
  listIssuers,
  listKeys,
  listPeople,
  listStsRoles,
  listTenants,
  removeFromGroup,
  revokePerson,
  revokeStsRole,
  revokeTenant,
  setAccessPolicy,
  setBucketAccess,
  setIssuer,
  setKey,
  setPerson,
  setTenant,
  trustStsRole,
} from './operations/access.ts'
export { type ApiQuota, listQuotas, setBucketQuota, setTenantQuota } from './operations/quota.ts'
export {
  type ApiErasure,
  type ApiKeyMove,
  getRootKey,
  listEpochs,
  listErasures,
  rotateBucketKey,
  rotatePackKeys,
} from './operations/epoch.ts'
export { type ApiKits, type ApiKitState, discardKit, listKits, proveKit, registerKit } from './operations/kit.ts'
export { getConsole } from './operations/console.ts'
export { startDemoProvider, stopDemoProvider } from './operations/demo.ts'
export { type ExplainedReason, explainPolicy } from './operations/policy.ts'
export { whereObject } from './operations/object.ts'
export { type ApiJob, cancelJob, getJob, listJobs, retryJob, watchJobs } from './operations/job.ts'
export { getDirectory } from './operations/directory.ts'
export {
  type ApiMember,
  inviteGateway,
  inviteProvider,
  joinFederation,
  listMembers,
  renewCertificate,
  revokeMember,
} from './operations/member.ts'
export { getSupportBundle } from './operations/support.ts'
export {
  type ApiSession,
  type ApiSignedIn,
  getSession,
  signOut,
  listSessions,
  endSession,
  beginLogin,
  showLogin,
  approveLogin,
  finishLogin,
  listIdentityProviders,
  beginProviderSignIn,
  finishProviderSignIn,
  createAdminCode,
  createInvitation,
  claimCode,
} from './operations/session.ts'
export {
  type ApiPasskey,
  beginPasskeySignIn,
  finishPasskeySignIn,
  listPasskeys,
  beginPasskey,
  finishPasskey,
  removePasskey,
  beginEnrolledPasskey,
  finishEnrolledPasskey,
} from './operations/passkey.ts'
export {
  type ApiRecovery,
  getRecoveryPlan,
  setRecoveryPlan,
  requestRecovery,
  listRecoveries,
  approveRecovery,
  cancelRecovery,
  completeRecovery,
  listNotices,
} from './operations/recovery.ts'
export { type ApiPolicy, policySchema } from './policy-schema.ts'
export { errorOf, type Problem, problemOf, statusFor } from './problem.ts'
export {
  about,
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
