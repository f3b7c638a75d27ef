import { type Clock, type Database, hasCode, type Log, type Random } from '#kernel'
import { dropLease, type Fence, takeLease } from './lease.store.ts'

/** Work that goes on for ever in bounded rounds, at one process at a time. A round that is cut off is begun again somewhere. */
export type Loop = {
  name: string
  /** Pause after a round that found nothing to do. */
  everyMs: number
  /** One bounded round. Its writes check the fence; it stops at the signal. */
  run(fence: Fence, signal: AbortSignal): Promise<'more' | 'idle'>
}

export type Work = {
  /** Ends all rounds and waits for them, within limits. */
  stop(): Promise<void>
}

type Ports = { database: Database; clock: Clock; log: Log; random: Random }

/** A lease outlives a round's usual length by far, and a dead holder's is free again soon. */
const leaseMs = 15_000
const backoffMostMs = 60_000
const stopMs = 5000

/** Runs every loop in rounds: takes or renews its lease, runs, rests. What fails is logged and tried again, later each time. */
export function startWork(ports: Ports, loops: readonly Loop[]): Work {
  const holder = Buffer.from(ports.random.bytes(8)).toString('hex')
  const running = loops.map((loop) => startLoop(ports, loop, holder))
  return {
    async stop() {
      let cancel = () => {}
      const limit = new Promise<void>((resolve) => {
        cancel = ports.clock.after(stopMs, resolve)
      })
      await Promise.race([Promise.all(running.map(({ stop }) => stop())), limit])
      cancel()
    },
  }
}

function startLoop(ports: Ports, loop: Loop, holder: string) {
  const stop = new AbortController()
  let wake: (() => void) | undefined
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      if (stop.signal.aborted) return resolve()
      const cancel = ports.clock.after(ms, resolve)
      wake = () => {
        cancel()
        resolve()
      }
    })

  const ended = (async () => {
    let failures = 0
    while (!stop.signal.aborted) {
      try {
        const outcome = await runRound(ports, loop, holder, stop.signal)
        failures = 0
        if (outcome !== 'more') await pause(loop.everyMs)
      } catch (error) {
        if (stop.signal.aborted) break
        const fenced = hasCode(error, 'work.fenced')
        failures = fenced ? 0 : failures + 1
        const reason = error instanceof Error ? error.message : String(error)
        ports.log(fenced ? 'info' : 'warn', 'work.failed', { loop: loop.name, failures, reason })
        await pause(Math.min(backoffMostMs, loop.everyMs * 2 ** Math.min(failures, 10)))
      }
    }
    await ports.database.transact(() => dropLease(loop.name, holder))
  })()
  ended.catch((error: unknown) => ports.log('warn', 'work.undropped', { loop: loop.name, reason: String(error) }))

  return {
    async stop() {
      stop.abort(new Error('the process stops'))
      wake?.()
      await ended.catch(() => 'logged above')
    },
  }
}

/** A round under a lease that is renewed while it lasts; losing it ends the round. */
async function runRound(ports: Ports, loop: Loop, holder: string, stop: AbortSignal): Promise<'more' | 'idle'> {
  const { clock, database } = ports
  const renew = () => {
    const now = clock.now()
    return database.transact(() => takeLease(loop.name, holder, now, now + leaseMs))
  }
  const fence = await renew()
  if (!fence) return 'idle'
  const lost = new AbortController()
  const end = () => lost.abort(stop.reason)
  if (stop.aborted) end()
  stop.addEventListener('abort', end, { once: true })
  let cancel = () => {}
  const keep = () => {
    cancel = clock.after(leaseMs / 3, () => {
      renew().then(
        (kept) => {
          if (lost.signal.aborted) return
          if (kept?.token === fence.token) keep()
          else lost.abort(new Error('the lease was lost'))
        },
        (error: unknown) => lost.abort(error instanceof Error ? error : new Error(String(error))),
      )
    })
  }
  keep()
  try {
    return await loop.run(fence, lost.signal)
  } finally {
    cancel()
    stop.removeEventListener('abort', end)
    // A renewal that is just under way must not go on renewing.
    lost.abort(new Error('the round is over'))
    cancel()
  }
}
