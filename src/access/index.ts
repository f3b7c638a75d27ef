/** Who asks, and whether they may. */
export { type AccessKey, type AccessKeys, listedKeys } from './access-key.ts'
export { accessError } from './errors.ts'
export { localToken } from './local-token.ts'
export { anyOf, type Authenticate, type Principal, type RequestHead } from './principal.ts'
export { openRates, type RateLimit, type Rates } from './rate.ts'
export { lastChange, noteChange } from './records/changes.store.ts'
export { accessMigrations } from './records/migrations.ts'
export {
  changePerson,
  deletePerson,
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
  changeTenant,
  findTenant,
  getTenant,
  insertTenant,
  listTenants,
  raiseTenantEpoch,
  type StandingState,
  type Tenant,
} from './records/tenants.store.ts'
export {
  chunkSignature,
  encodeRfc3986,
  type SignedRequest,
  trailerSignature,
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
