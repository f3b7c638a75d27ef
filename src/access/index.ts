/** Who asks, and whether they may. */
export { type AccessKey, type AccessKeys, listedKeys } from './access-key.ts'
export {
  createAssumableRole,
  deleteAssumableRole,
  deleteWebIssuer,
  revokeAssumableRole,
  setWebIssuer,
  trustAssumableRole,
} from './acts/assumable-roles.ts'
export { changeMembership, createGroup, deleteGroup } from './acts/groups.ts'
export { changeKey, createKey, deleteKey, takeInKeys } from './acts/keys.ts'
export { changePerson, createPerson, deletePerson, revokePerson } from './acts/people.ts'
export {
  type Buckets,
  deleteAccessPolicy,
  deleteBucketAccess,
  getBucketAccess,
  type Holder,
  listAccessPolicies,
  setAccessPolicy,
  setBucketAccess,
} from './acts/policies.ts'
export type { AccessPorts } from './acts/ports.ts'
export { changeTenant, createTenant, revokeTenant } from './acts/tenants.ts'
export { accountArn, bucketArn, objectArn, personArn, roleArn } from './arn.ts'
export type { Caller } from './caller.ts'
export { accessError } from './errors.ts'
export { localToken } from './local-token.ts'
export { type Decision, evaluate, explain, isPublic, type Question } from './policy/evaluate.ts'
export type { Lookup } from './policy/pattern.ts'
export { type AccessPolicy, type PolicyKind, readAccessPolicy } from './policy/read-policy.ts'
export { isWithin, readAddress, readNetwork } from './policy/networks.ts'
export { anyOf, type Authenticate, type Principal, type RequestHead, runsServer } from './principal.ts'
export { openRates, type RateLimit, type Rates } from './rate.ts'
export { type AssumableRole, getAssumableRole, listAssumableRoles } from './records/assumable-roles.store.ts'
export { deleteBucketAccess as forgetBucketAccess } from './records/bucket-access.store.ts'
export { lastChange, noteChange } from './records/changes.store.ts'
export { getGroup, type Group, groupsOf, listGroups, membersOf } from './records/groups.store.ts'
export { getKey, type KeptKey, listKeys } from './records/keys.store.ts'
export { accessMigrations } from './records/migrations.ts'
export {
  findPerson,
  findPersonById,
  getPerson,
  insertPerson,
  listPeople,
  type Person,
  type PersonRole,
  personRoles,
  raisePersonEpoch,
} from './records/people.store.ts'
export {
  findTenant,
  getTenant,
  insertTenant,
  listTenants,
  raiseTenantEpoch,
  type StandingState,
  type Tenant,
} from './records/tenants.store.ts'
export { listWebIssuers, type WebIssuer } from './records/web-issuers.store.ts'
export { type Keyring, openKeyring } from './secrets/keyring.ts'
export {
  chunkSignature,
  encodeRfc3986,
  isUnsigned,
  type SignedRequest,
  trailerSignature,
  unsigned,
  type Verified,
  verifyRequest,
} from './signature.ts'
export { type AssertionAnswer, type RegistrationAnswer } from './sign-in/judge-passkey.ts'
export {
  beginEnrolledPasskey,
  claimCode,
  createAdminCode,
  createInvitation,
  finishEnrolledPasskey,
} from './sign-in/enrolment.ts'
export { signInError } from './sign-in/errors.ts'
export type { Claims, IdentityProviders, ProviderTie } from './sign-in/identity-provider.ts'
export { approveLogin, beginLogin, finishLogin } from './sign-in/logins.ts'
export { signInMigrations } from './sign-in/migrations.ts'
export { beginPasskeySignIn, finishPasskeySignIn } from './sign-in/passkey-sign-in.ts'
export { beginPasskey, finishPasskey, listPasskeys, removePasskey } from './sign-in/passkeys.ts'
export type { Passkey } from './sign-in/passkeys.store.ts'
export type { MembershipRule, SignInPorts, Site } from './sign-in/ports.ts'
export { beginProviderSignIn, finishProviderSignIn } from './sign-in/provider-sign-in.ts'
export type { Notice } from './sign-in/recoveries.store.ts'
export {
  approveRecovery,
  cancelRecovery,
  completeRecovery,
  getRecoveryPlan,
  listNotices,
  listRecoveries,
  requestRecovery,
  setRecoveryPlan,
  type ShownRecovery,
} from './sign-in/recovery.ts'
export {
  checkPage,
  cookieToken,
  endedCookie,
  endSession,
  listSessions,
  type OpenedSession,
  sessionAuthentication,
  sessionCookie,
} from './sign-in/sessions.ts'
export { type Carrier, type Session, sessionIdleMs, sessionMs } from './sign-in/sessions.store.ts'
export { type BucketAccess, openStanding, type Standing, staleMost } from './standing.ts'
export { assumeRole, type Credentials, type Wish } from './sts/assume-role.ts'
export { assumeRoleWithWebIdentity } from './sts/assume-role-with-web-identity.ts'
export { openWebKeys, type WebKeys } from './sts/web-keys.ts'
