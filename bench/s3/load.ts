import { once } from 'node:events'
import type { Job, JobResult } from './job.ts'
import { startProcess } from './processes.ts'

/** The load process as the bench sees it. */
export type Load = {
  pid: number
  /** @param around is called when all is prepared, right before the first request, and again after the last answer */
  run(job: Job, around?: (moment: 'before' | 'after') => void): Promise<JobResult>
  close(): void
}

export function openLoad(): Load {
  const child = startProcess('load-process.ts')
  const answer = async (): Promise<unknown> => {
    const gone = new AbortController()
    const exited = once(child, 'exit', { signal: gone.signal }).then(([code]) => {
      throw new Error(`the load process ended with ${String(code)}`)
    })
    try {
      const [word] = (await Promise.race([once(child, 'message', { signal: gone.signal }), exited])) as [unknown]
      return word
    } finally {
      gone.abort()
      exited.catch(() => 'nobody waits for its end any more')
    }
  }
  return {
    pid: child.pid as number,
    async run(job, around) {
      child.send({ job })
      await answer()
      around?.('before')
      child.send('go')
      const result = (await answer()) as JobResult
      around?.('after')
      return result
    },
    close: () => child.disconnect(),
  }
}
