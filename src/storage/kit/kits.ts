import { createHash, timingSafeEqual } from 'node:crypto'
import { appendFact, type Journal } from '#journal'
import type { Call, Clock, Database } from '#kernel'
import { storageError } from '../errors.ts'
import type { RootKey } from '../seal/root-key.ts'
import { findKit, insertKit, type Kit, listKits, markDiscarded, markTested } from './kits.store.ts'

/** What of a gateway has become another one since a kit was made. */
export type KitPart = 'root' | 'gateway' | 'anchor'

/**
 * `exempt`: nobody asks for a kit, as in the demo, and there is none that was tested. `missing`: none was made. `untested`: none
 * was tested. `stale`: it was tested, but something has changed since. `tested`: two of its files give everything back.
 * `light`: red while what is stored now would be lost with this machine; yellow while it could be read again, but with work.
 */
export type KitStatus = {
  state: 'exempt' | 'missing' | 'untested' | 'stale' | 'tested'
  light: 'green' | 'yellow' | 'red'
  changed: KitPart[]
  /** Those that are not said to be destroyed; the first is the one of which this speaks. */
  kits: Kit[]
}

/** What a gateway knows of its recovery kits. It never sees a share, the root key or what a kit holds. */
export type Kits = {
  status(): Promise<KitStatus>
  /** Notes a kit that was made. Twice is as once. */
  register(call: Call, kit: Omit<Kit, 'testedAt' | 'discardedAt' | 'gateway'>): Promise<KitStatus>
  /** Takes what was found in a kit for proof that two of its files open it. @throws kit.unknown, kit.unproved */
  prove(call: Call, id: string, proof: Uint8Array): Promise<KitStatus>
  /** Notes that all copies of a kit were destroyed. @throws kit.unknown */
  discard(call: Call, id: string): Promise<KitStatus>
  /** @throws kit.untested while no kit gives back what would be stored */
  check(): Promise<void>
}

/** What kits are held against, as it is now. */
export type KitFacts = {
  /** Id of this gateway. */
  gateway: string
  /** SHA-256, in hex, of its public key and of what the federation is known by. */
  gatewayKey: string
  anchor: string
  /** False for the demo, which offers kits and asks for none. */
  required: boolean
}

/** Between looks at the root key's name, so that status and the creation of buckets cost little. */
const lookMs = 5000
const kitsListed = 1000

/** Opens what is known of kits, in the index of the gateway. */
export function openKits(
  ports: { clock: Clock; database: Database; journal: Journal; root: Pick<RootKey, 'newest'> },
  facts: KitFacts,
): Kits {
  const { clock, database, journal } = ports
  let newest: { root: string; until: number } | undefined
  /** While the root key does not answer, it is taken for what it was; undefined when it never did. */
  const newestRoot = async (): Promise<string | undefined> => {
    if (newest && clock.now() < newest.until) return newest.root
    try {
      newest = { root: await ports.root.newest(), until: clock.now() + lookMs }
    } catch {
      // That it is away is shown where the root key is: there is nothing to be said of kits because of it.
    }
    return newest?.root
  }
  const changedOf = (kit: Kit, root: string | undefined): KitPart[] => [
    ...(root !== undefined && kit.root !== root ? (['root'] as const) : []),
    // Each gateway of an index has a key of its own, and a kit holds one.
    ...(kit.gateway === facts.gateway && kit.gatewayKey !== facts.gatewayKey ? (['gateway'] as const) : []),
    ...(kit.anchor !== facts.anchor ? (['anchor'] as const) : []),
  ]
  const status = async (): Promise<KitStatus> => {
    const [kits, root] = await Promise.all([database.read(() => listKits(kitsListed)), newestRoot()])
    const tested = kits.filter(({ testedAt }) => testedAt !== undefined)
    const whole = tested.find((kit) => changedOf(kit, root).length === 0)
    const first = whole ?? tested[0]
    if (!first) {
      if (!facts.required) return { state: 'exempt', light: 'green', changed: [], kits }
      return { state: kits.length > 0 ? 'untested' : 'missing', light: 'red', changed: [], kits }
    }
    const ordered = [first, ...kits.filter((kit) => kit !== first)]
    if (whole) return { state: 'tested', light: 'green', changed: [], kits: ordered }
    const changed = changedOf(first, root)
    const light = changed.includes('root') && facts.required ? 'red' : 'yellow'
    return { state: 'stale', light, changed, kits: ordered }
  }
  const stated = ({ actor, tenant }: Call, about: string) => ({ about, actor, tenant, at: clock.now(), facts: {} })

  return {
    status,
    async register(call, kit) {
      await database.transact(function* () {
        if (!(yield* insertKit({ ...kit, gateway: facts.gateway }))) return
        yield* appendFact(journal, { topic: 'kit.made', ...stated(call, kit.id) })
      })
      return status()
    },
    async prove(call, id, proof) {
      await database.transact(function* () {
        const kit = yield* findKit(id)
        if (!kit || kit.discardedAt !== undefined) throw storageError('kit.unknown', { kit: id })
        const right = Buffer.from(kit.proof, 'hex')
        const found = createHash('sha256').update(proof).digest()
        if (found.length !== right.length || !timingSafeEqual(found, right))
          throw storageError('kit.unproved', { kit: id })
        yield* markTested(id, clock.now())
        yield* appendFact(journal, { topic: 'kit.tested', ...stated(call, id) })
      })
      return status()
    },
    async discard(call, id) {
      await database.transact(function* () {
        if (!(yield* findKit(id))) throw storageError('kit.unknown', { kit: id })
        if (!(yield* markDiscarded(id, clock.now()))) return
        yield* appendFact(journal, { topic: 'kit.discarded', ...stated(call, id) })
      })
      return status()
    },
    async check() {
      if (!facts.required) return
      const { state, light } = await status()
      if (light === 'red') throw storageError('kit.untested', { state })
    },
  }
}
