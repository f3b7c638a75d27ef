/** Notes about classes, by class and key. */
type Notes = WeakMap<object, Map<unknown, unknown>>

/**
 * Loads `@peculiar/x509` where certificates are made; those who only look at them need not wait for it.
 *
 * A package that it brings (`tsyringe`) refuses to load unless `Reflect` can keep notes about classes, as a proposal for
 * decorators once had it. It keeps a handful; the three functions that it calls are here instead of a package that changes
 * `Reflect` for the whole process.
 */
export function loadX509(): Promise<typeof import('@peculiar/x509')> {
  if (!('getMetadata' in Reflect)) keepNotes(new WeakMap())
  return import('@peculiar/x509')
}

function keepNotes(notes: Notes): void {
  const own = (key: unknown, target: object) => notes.get(target)?.get(key)
  const inherited = (key: unknown, target: object): unknown => {
    for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at) as object | null)
      if (notes.get(at)?.has(key)) return own(key, at)
    return undefined
  }
  const define = (key: unknown, value: unknown, target: object) => {
    const known = notes.get(target) ?? new Map<unknown, unknown>()
    notes.set(target, known.set(key, value))
  }
  Object.assign(Reflect, { getMetadata: inherited, getOwnMetadata: own, defineMetadata: define })
}
