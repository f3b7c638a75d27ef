import type { Clock } from '#kernel'

/** A process of the archipelago. What comes for it while it is paused waits until it goes on; for a dead one nothing comes. */
export type Process = {
  alive(): boolean
  paused(): boolean
  /** Lets it do something: now, when it goes on, or never. */
  run(act: () => void): void
  pause(): void
  goOn(): void
  die(): void
  /** Its timers. */
  clock: Clock
}

/** @param lives where somebody else keeps count of who lives */
export function openProcess(clock: Clock, lives = () => true): Process {
  let alive = true
  let waiting: (() => void)[] | undefined
  const run = (act: () => void) => {
    if (!alive || !lives()) return
    if (waiting) waiting.push(act)
    else act()
  }
  return {
    alive: () => alive && lives(),
    paused: () => waiting !== undefined,
    run,
    pause() {
      waiting ??= []
    },
    goOn() {
      const acts = waiting ?? []
      waiting = undefined
      for (const act of acts) run(act)
    },
    die() {
      alive = false
      waiting = undefined
    },
    clock: { now: clock.now, after: (ms, act) => clock.after(ms, () => run(act)) },
  }
}
