import type { Clock } from '#kernel'
import { storageError } from './errors.ts'

/**
 * A bounded amount of memory that requests take their share of: those of one owner in the order they came, owners in turn. One
 * owner never holds all of it, so that whoever floods the gateway, or drips his bodies, leaves room for the others.
 */
export type Budget = {
  /**
   * Waits until `bytes` are free.
   * @param owner whose requests share their turns; without one, of nobody who could be unfair
   * @throws memory.full after the time limit
   */
  take(bytes: number, owner?: string): Promise<void>
  /** Takes `bytes` if they are free now and nobody waits. @returns whether it did */
  tryTake(bytes: number): boolean
  /** @param owner the one who took it */
  give(bytes: number, owner?: string): void
  used(): number
}

type Waiter = { bytes: number; ready: () => void }
type Owner = { name: string; used: number; most: number; waiting: Waiter[] }

/** What one owner leaves to the others: of the memory for writes a whole segment. */
const leftToOthers = 1 / 8

export function openBudget(clock: Clock, limitBytes: number, waitMs: number): Budget {
  const owners = new Map<string, Owner>()
  /** Owners who wait, the next one first. */
  const turns: Owner[] = []
  let used = 0

  const ownerOf = (name: string): Owner => {
    const known = owners.get(name)
    if (known) return known
    const most = name === '' ? limitBytes : limitBytes * (1 - leftToOthers)
    const made: Owner = { name, used: 0, most, waiting: [] }
    owners.set(name, made)
    return made
  }
  /** Who holds nothing may have what he needs, however much that is. */
  const mayHave = (owner: Owner, bytes: number) => owner.used === 0 || owner.used + bytes <= owner.most
  const hold = (owner: Owner, bytes: number) => {
    used += bytes
    owner.used += bytes
  }
  const rest = (owner: Owner) => {
    if (owner.used === 0 && owner.waiting.length === 0) owners.delete(owner.name)
  }
  const leaveTurns = (owner: Owner) => void turns.splice(turns.indexOf(owner), 1)
  const admit = () => {
    while (true) {
      const owner = turns.find((one) => mayHave(one, one.waiting[0]?.bytes ?? 0))
      const next = owner?.waiting[0]
      // What is large does not wait for ever because small ones overtake it.
      if (!owner || !next || used + next.bytes > limitBytes) return
      owner.waiting.shift()
      leaveTurns(owner)
      if (owner.waiting.length > 0) turns.push(owner)
      hold(owner, next.bytes)
      next.ready()
    }
  }

  return {
    async take(wanted, name = '') {
      const bytes = Math.min(wanted, limitBytes)
      const owner = ownerOf(name)
      if (turns.length === 0 && used + bytes <= limitBytes && mayHave(owner, bytes)) return hold(owner, bytes)
      await new Promise<void>((resolve, reject) => {
        const cancel = clock.after(waitMs, () => {
          const at = owner.waiting.indexOf(waiter)
          if (at === -1) return
          owner.waiting.splice(at, 1)
          if (owner.waiting.length === 0) leaveTurns(owner)
          rest(owner)
          reject(storageError('memory.full'))
          admit()
        })
        const waiter: Waiter = {
          bytes,
          ready() {
            cancel()
            resolve()
          },
        }
        if (owner.waiting.push(waiter) === 1) turns.push(owner)
        admit()
      })
    },
    tryTake(wanted) {
      const bytes = Math.min(wanted, limitBytes)
      if (turns.length > 0 || used + bytes > limitBytes) return false
      hold(ownerOf(''), bytes)
      return true
    },
    give(given, name = '') {
      const bytes = Math.min(given, limitBytes)
      const owner = ownerOf(name)
      used -= bytes
      owner.used -= bytes
      rest(owner)
      admit()
    },
    used: () => used,
  }
}
