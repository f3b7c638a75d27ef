/** Members, facts, placement with reasons. Knows nothing of bytes. */
export { countryName } from './countries.ts'
export { demoPool, type ProviderFacts } from './demo-pool.ts'
export { directoryFacts, type SignedDirectory, signDirectory, verifyDirectory } from './directory.ts'
export {
  directoryMigrations,
  directoryVersion,
  findDirectory,
  isHalfOver,
  stateDirectory,
  takeDirectory,
} from './directory.store.ts'
export { poolError } from './errors.ts'
export { explainHolder, judge, type Reason, reasonsAgainst, type Refusal } from './judge.ts'
export type { Directory, GatewayEntry, Provider } from './member.ts'
export { parsePolicy } from './parse-policy.ts'
export { type Placement, place, replacement, unsatisfiable, widestCode } from './place.ts'
export { defaultPolicy, type Policy } from './policy.ts'
export { margin, survives } from './survival.ts'
