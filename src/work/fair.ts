/** Longest debt that is kept, in turns: one very long step must not shut a tenant out for hours. */
const debtMost = 10
/** Tenants whose debts are remembered. */
const tenantsMost = 10_000

/** Shares a process's time between tenants: round robin with deficit. */
export type Fair = {
  /** After whom the next one comes. */
  last(): string
  /**
   * Whose turn it is among those who have something to do, given in the order of the round.
   * Whoever took more than his turn before is passed over until he has made up for it, unless nobody else wants.
   */
  choose(tenants: readonly string[]): string | undefined
  /** This tenant's work has taken so long, in milliseconds. */
  charge(tenant: string, ms: number): void
}

/** @param turnMs what each tenant may take per round, milliseconds */
export function openFair(turnMs: number): Fair {
  let last = ''
  /** What tenants have taken beyond their turns; a tenant that took less gets nothing for it. */
  const debts = new Map<string, number>()
  const pay = (tenant: string) => {
    const debt = (debts.get(tenant) ?? 0) - turnMs
    if (debt > 0) debts.set(tenant, debt)
    else debts.delete(tenant)
  }
  return {
    last: () => last,
    choose(tenants) {
      if (tenants.length === 0) return undefined
      for (let round = 0; round <= debtMost; round++) {
        for (const tenant of tenants) {
          last = tenant
          if (!debts.has(tenant)) return tenant
          pay(tenant)
        }
      }
      return tenants[0]
    },
    charge(tenant, ms) {
      const debt = Math.min((debts.get(tenant) ?? 0) + ms - turnMs, debtMost * turnMs)
      if (debt <= 0) return void debts.delete(tenant)
      const [oldest] = debts.keys()
      if (debts.size >= tenantsMost && oldest !== undefined) debts.delete(oldest)
      debts.set(tenant, debt)
    },
  }
}
