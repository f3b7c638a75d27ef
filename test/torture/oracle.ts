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

  /**
   * What an answer to a write on a condition says wrongly: done although it cannot have held, refused although it must have.
   * Asked before the write is told to `wrote`.
   */
  judged(condition: Held, told: Told | 'condition'): string | undefined {
    const may = [...this.allowed()].join(', ')
    if (told === 'done' && !this.allowed().has(condition)) return `done on ${condition}, but only ${may} may be there`
    if (told === 'condition' && this.allowed().size === 1 && this.allowed().has(condition))
      return `refused, although it holds ${condition}`
    return undefined
  }

  /** What a listing says wrongly. */
  listed(there: boolean): string | undefined {
    const allowed = this.allowed()
    if (there && allowed.size === 1 && allowed.has('nothing')) return 'listed, but nothing may be there'
    if (!there && !allowed.has('nothing')) return `not listed, but ${[...allowed].join(', ')} must be there`
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
 * Of many who each wanted to replace the same, at most one may have been told that he did; then nobody else ever can.
 * @param before what all of them wanted to replace
 * @returns what may be found there, or what is wrong
 */
export function raceOf(
  outcomes: readonly { value: number; told: Told }[],
  before: Held,
): { allowed: Set<Held> } | { wrong: string } {
  const done = outcomes.filter(({ told }) => told === 'done')
  if (done.length > 1) return { wrong: `${done.length} writers were each told to have replaced ${before}` }
  if (done[0]) return { allowed: new Set([done[0].value]) }
  const unknown = outcomes.filter(({ told }) => told === 'unknown').map(({ value }) => value)
  return { allowed: new Set<Held>([before, ...unknown]) }
}
