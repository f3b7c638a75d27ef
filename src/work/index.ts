/** Leased, bounded, fenced background work: every loop of every plane runs here. */
export { workError } from './errors.ts'
export { checkFence, type Fence, workMigrations } from './lease.store.ts'
export { type Loop, startWork, type Work } from './start-work.ts'
