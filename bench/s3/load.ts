import type { Job, JobResult } from './job.ts'
import { startHelper } from './processes.ts'

/** The load process as the bench sees it. */
export type Load = {
  pid: number
  /** @param around is called when all is prepared, right before the first request, and again after the last answer */
  run(job: Job, around?: (moment: 'before' | 'after') => void): Promise<JobResult>
  /** Bytes that were written to whatever stores them, since `forget`. */
  wrote(): number
  forget(): void
  close(): void
}

export function openLoad(): Load {
  const { pid, ask, close } = startHelper('load-process.ts')
  let wrote = 0
  return {
    pid,
    async run(job, around) {
      await ask({ job })
      around?.('before')
      const result = (await ask('go')) as JobResult
      around?.('after')
      if ((job.verb === 'PUT' || job.verb === 'MIXED') && job.target.key) wrote += result.bytes
      return result
    },
    wrote: () => wrote,
    forget: () => {
      wrote = 0
    },
    close,
  }
}
