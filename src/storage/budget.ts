import type { Clock } from '#kernel'
import { storageError } from './errors.ts'

/** A bounded amount of memory that requests take their share of, first come first served. */
export type Budget = {
  /** Waits until `bytes` are free. @throws memory.full after the time limit */
  take(bytes: number): Promise<void>
  /** Takes `bytes` if they are free now and nobody waits. @returns whether it did */
  tryTake(bytes: number): boolean
  give(bytes: number): void
  used(): number
}

export function openBudget(clock: Clock, limitBytes: number, waitMs: number): Budget {
  type Waiter = { bytes: number; ready: () => void }
  const waiting: Waiter[] = []
  let used = 0

  const admit = () => {
    for (let next = waiting[0]; next && used + next.bytes <= limitBytes; next = waiting[0]) {
      waiting.shift()
      used += next.bytes
      next.ready()
    }
  }

  return {
    take(wanted) {
      const bytes = Math.min(wanted, limitBytes)
      return new Promise((resolve, reject) => {
        const waiter: Waiter = { bytes, ready: () => resolve() }
        waiting.push(waiter)
        const cancel = clock.after(waitMs, () => {
          const at = waiting.indexOf(waiter)
          if (at === -1) return
          waiting.splice(at, 1)
          reject(storageError('memory.full'))
          admit()
        })
        waiter.ready = () => {
          cancel()
          resolve()
        }
        admit()
      })
    },
    tryTake(wanted) {
      const bytes = Math.min(wanted, limitBytes)
      if (waiting.length > 0 || used + bytes > limitBytes) return false
      used += bytes
      return true
    },
    give(given) {
      used -= Math.min(given, limitBytes)
      admit()
    },
    used: () => used,
  }
}
