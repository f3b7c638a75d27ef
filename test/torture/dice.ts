/** Chance that a seed decides, so that a run's faults and load can be had again, as far as the machine allows. */
export type Dice = {
  below(limit: number): number
  between(from: number, to: number): number
  chance(probability: number): boolean
  of<T>(choices: readonly T[]): T
}

export function openDice(seed: number): Dice {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    below,
    between: (from, to) => from + below(to - from + 1),
    chance: (probability) => next() < probability,
    of: (choices) => choices[below(choices.length)] as (typeof choices)[number],
  }
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
