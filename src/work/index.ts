/** Leased, fenced, bounded, resumable background jobs: every loop of every plane runs here. */
export { workError } from './errors.ts'
export {
  type Fence,
  type Job,
  type JobKind,
  type JobState,
  jobStates,
  newJobId,
  type Piece,
  type Progress,
} from './job.ts'
export {
  checkFence,
  enqueueJob,
  hastenJob,
  liveSingles,
  type NewJob,
  workMigrations,
} from './job.store.ts'
export { cancelJob, type JobAct, type JobAsker, listJobs, retryJob, showJob } from './jobs.ts'
export { defaultWorkLimits, startWork, type Work, type WorkLimits, type WorkPorts } from './start-work.ts'
