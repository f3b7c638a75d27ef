/** Who asks, and whether they may. */
export { type AccessKey, type AccessKeys, listedKeys } from './access-key.ts'
export { accessError } from './errors.ts'
export { localToken } from './local-token.ts'
export { anyOf, type Authenticate, type Principal, type RequestHead } from './principal.ts'
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
