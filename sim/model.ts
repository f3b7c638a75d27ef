import type { Content } from './content.ts'

/** What a key may hold: one of these contents, or nothing (`undefined`). More than one after an outcome nobody learned. */
export type Possible = (Content | undefined)[]

/** What must be true of every key, given what clients were told. Each key is written by one client at a time. */
export type Model = {
  /** The write was acknowledged. */
  set(key: string, content: Content | undefined): void
  /** Nobody knows whether it was done. */
  maybe(key: string, content: Content | undefined): void
  /** What was read settles what was unknown. @returns false when it is impossible */
  observe(key: string, content: Content | undefined): boolean
  possible(key: string): Possible
  keys(): string[]
}

export function openModel(): Model {
  const state = new Map<string, Possible>()
  const possible = (key: string): Possible => state.get(key) ?? [undefined]
  const same = (a: Content | undefined, b: Content | undefined) => a?.id === b?.id && a?.size === b?.size
  return {
    set: (key, content) => void state.set(key, [content]),
    maybe: (key, content) => void state.set(key, [...possible(key), content]),
    observe(key, content) {
      if (!possible(key).some((one) => same(one, content))) return false
      state.set(key, [content])
      return true
    },
    possible,
    keys: () => [...state.keys()].sort(),
  }
}
