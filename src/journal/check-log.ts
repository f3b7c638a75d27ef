import { type Entry, entryHash, firstBefore } from './entry.ts'
import { faultOfKeys, isSigned, type LogKey, parseHead } from './head.ts'
import { openGrowingTree } from './merkle.ts'
import type { Check } from './proof.ts'

/** An entry as a reader gets it: its leaf hash, and the entry itself unless it is about another tenant. */
export type SeenEntry = { sequence: number; hash: string; entry: Entry | null }

/** Checks a whole log, entry by entry in order, in memory that does not grow with it. */
export type LogCheck = {
  /** Heads up to that entry must have been handed over before. */
  head(note: string): void
  entry(seen: SeenEntry): void
  /** @param kept the head that the server keeps outside its database @returns every check; one without fault holds */
  end(kept: string | undefined): Check[]
}

const faultsShown = 5

export function openLogCheck(keys: readonly LogKey[]): LogCheck {
  const tree = openGrowingTree()
  const waiting: string[] = []
  const faults = { entries: [] as string[], heads: [] as string[], kept: undefined as string | undefined }
  const roots = new Map<number, string>()
  let before: string | undefined = firstBefore
  let [shown, heads, lastSize] = [0, 0, 0]

  const atSize = () => {
    while (waiting.length > 0) {
      const note = waiting[0] as string
      const head = parseHead(note)
      if (head && head.size > tree.size()) return
      waiting.shift()
      heads++
      if (!head || !isSigned(head, keys)) faults.heads.push(`head ${heads} is not signed by the log`)
      else if (head.size < tree.size() || head.size <= lastSize)
        faults.heads.push(`there are two heads of size ${head.size}`)
      else if (hex(tree.root()) !== hex(head.root))
        faults.heads.push(`the head of size ${head.size} is not of these entries`)
      else {
        lastSize = head.size
        roots.set(head.size, note)
        if (roots.size > rootsKept) roots.delete(roots.keys().next().value as number)
      }
    }
  }
  return {
    head(note) {
      waiting.push(note)
      atSize()
    },
    entry({ sequence, hash, entry }) {
      const say = (fault: string) => faults.entries.push(`entry ${tree.size() + 1} ${fault}`)
      if (sequence !== tree.size() + 1) say(`is missing; ${sequence} comes in its place`)
      else if (entry && entry.sequence !== sequence) say('has another number inside')
      else if (entry && before !== undefined && entry.before !== before) say('does not name the one before')
      else if (entry && hex(entryHash(entry)) !== hash) say('was changed')
      if (entry) shown++
      before = hash
      tree.add(Buffer.from(hash, 'hex'))
      atSize()
    },
    end(kept) {
      if (waiting.length > 0)
        faults.heads.push(`heads of more than ${tree.size()} entries: the last entries are missing`)
      const keyFault = faultOfKeys(keys)
      const covered = lastSize === tree.size()
      return [
        {
          says: `${keys.length} ${keys.length === 1 ? 'key follows' : 'keys follow'} from the name of the log`,
          fault: keyFault,
        },
        {
          says: `${tree.size()} entries are a chain without gaps (${tree.size() - shown} of other tenants by hash alone)`,
          fault: short(faults.entries),
        },
        { says: `${heads} signed heads are of these entries`, fault: short(faults.heads) },
        { says: 'the last head is of all entries', fault: covered ? undefined : `it is of ${lastSize}` },
        { says: 'the head that is kept outside the database is one of them', fault: keptFault(kept) },
      ]
    },
  }

  function keptFault(kept: string | undefined): string | undefined {
    if (kept === undefined) return lastSize === 0 ? undefined : 'the server keeps none'
    const head = parseHead(kept)
    if (!head || !isSigned(head, keys)) return 'it is not signed by the log'
    if (head.size > tree.size()) return `it is of ${head.size} entries, but there are ${tree.size()}`
    if (head.size < lastSize - rootsKept) return undefined
    return roots.get(head.size) === kept ? undefined : `the head of size ${head.size} in the database is another one`
  }
}

/** Heads to compare the kept one with; it is at most a minute old. */
const rootsKept = 10_000

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const short = (faults: string[]) =>
  faults.length === 0
    ? undefined
    : faults.length <= faultsShown
      ? faults.join('; ')
      : `${faults.slice(0, faultsShown).join('; ')}; and ${faults.length - faultsShown} more`
