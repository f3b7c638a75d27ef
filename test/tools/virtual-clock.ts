import type { Clock } from '#kernel'

/** Time that stands still until a test moves it on. */
export type VirtualClock = Clock & { pass(ms: number): void }

export function openVirtualClock(start = Date.parse('2030-01-01T00:00:00Z')): VirtualClock {
  let now = start
  let waiting: { at: number; act: () => void }[] = []
  return {
    now: () => now,
    after(ms, act) {
      const entry = { at: now + ms, act }
      waiting.push(entry)
      return () => {
        waiting = waiting.filter((one) => one !== entry)
      }
    },
    pass(ms) {
      now += ms
      const due = waiting.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at)
      waiting = waiting.filter(({ at }) => at > now)
      for (const { act } of due) act()
    },
  }
}
