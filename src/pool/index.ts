/** Members, facts, placement with reasons. Knows nothing of bytes. */
export type { Directory, Provider } from './member.ts'
export { defaultPolicy, type Policy } from './policy.ts'
