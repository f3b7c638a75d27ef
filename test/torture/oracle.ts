/** What a key may hold: the number of a content, or nothing. */
export type Held = number | 'nothing'

/** What somebody who wrote was told. `unknown`: no answer, or one that leaves it open; it may still happen, even later. */
export type Told = 'done' | 'refused' | 'unknown'

/**
 * Knows of one key what may be found there. Whoever uses it does one thing after the other, but what nobody answered for may
 * still be under way in a gateway that sleeps, so it is allowed until it was seen.
 */
export class KeyOracle {
  #settled = new Set<Held>(['nothing'])
  readonly #open = new Set<Held>()
  #openDelete = false

  wrote(value: Held, told: Told): void {
    if (told === 'done') this.#settled = new Set([value])
    else if (told === 'unknown') {
      if (value === 'nothing') this.#openDelete = true
      else this.#open.add(value)
    }
  }

  /** @returns what is wrong with it, or undefined when it may be */
  saw(value: Held): string | undefined {
    if (!this.allowed().has(value)) {
      const may = [...this.allowed()].join(', ')
      return `found ${value}, but only ${may} may be there`
    }
    if (!this.#settled.has(value) && typeof value === 'number') this.#open.delete(value)
    // A deletion that nobody answered for may come after anything.
    this.#settled = new Set([value])
    return undefined
  }

  allowed(): Set<Held> {
    return new Set([...this.#settled, ...this.#open, ...(this.#openDelete ? (['nothing'] as const) : [])])
  }

  /** Whether anything is still open: then a key says less, and should be left alone. */
  open(): boolean {
    return this.#open.size > 0 || this.#openDelete
  }
}

/**
 * Of many who each wanted to be the first with a key, at most one may have been told that he is; then nobody else can ever be.
 * @returns what may be found there, or what is wrong
 */
export function raceOf(outcomes: readonly { value: number; told: Told }[]): { allowed: Set<Held> } | { wrong: string } {
  const done = outcomes.filter(({ told }) => told === 'done')
  if (done.length > 1) return { wrong: `${done.length} writers were each told to be the first` }
  if (done[0]) return { allowed: new Set([done[0].value]) }
  const unknown = outcomes.filter(({ told }) => told === 'unknown').map(({ value }) => value)
  return { allowed: new Set<Held>(['nothing', ...unknown]) }
}
