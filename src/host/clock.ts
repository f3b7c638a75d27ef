import type { Clock } from '#kernel'

/** A timer of the platform fires at once when it is asked to wait longer than this. */
const longestTimerMs = 2 ** 31 - 1

/** The machine's clock. A wait longer than 24 days is made of several timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, act) {
    if (ms <= 0) {
      const soon = setImmediate(act)
      return () => clearImmediate(soon)
    }
    let timer: NodeJS.Timeout
    const arm = (rest: number): void => {
      const step = Math.min(Math.max(rest, 0), longestTimerMs)
      timer = setTimeout(() => (rest > step ? arm(rest - step) : act()), step)
    }
    arm(ms)
    return () => clearTimeout(timer)
  },
}
