/** What was used last stays, up to a bound; what has not been used for long goes. */
export type Cache<T> = {
  get(id: string): T | undefined
  set(id: string, value: T): void
  delete(id: string): void
  /** What all that is kept weighs. */
  weight(): number
}

/** @param most sum of the weights at the most; nothing is kept for 0 */
export function openCache<T>(most: number, weigh: (value: T) => number): Cache<T> {
  // A Map keeps the order of insertion, so its first entry is the one unused for longest.
  const kept = new Map<string, T>()
  let weight = 0
  const drop = (id: string) => {
    const value = kept.get(id)
    if (value === undefined) return
    kept.delete(id)
    weight -= weigh(value)
  }
  return {
    get(id) {
      const value = kept.get(id)
      if (value === undefined) return undefined
      kept.delete(id)
      kept.set(id, value)
      return value
    },
    set(id, value) {
      drop(id)
      if (weigh(value) > most) return
      kept.set(id, value)
      weight += weigh(value)
      for (const oldest of kept.keys()) {
        if (weight <= most) break
        drop(oldest)
      }
    },
    delete: drop,
    weight: () => weight,
  }
}
