import type { Ground } from '../ground.ts'
import { countObjects, type ObjectPlace } from '../index/objects.store.ts'

/** How many objects there are. Few are counted when somebody asks; of many, the last count is told, made bit by bit. */
export type ObjectCount = {
  ask(): Promise<number>
  /** Counts on, for a few milliseconds at the most. */
  step(): Promise<void>
}

const countedAtOnce = 10_000
const start: ObjectPlace = { bucket: '', key: new Uint8Array(0) }

export function openObjectCount(ground: Pick<Ground, 'index'>): ObjectCount {
  let after = start
  let counted = 0
  let last: number | undefined
  const count = (from: ObjectPlace) => ground.index.read(() => countObjects(from, countedAtOnce))
  return {
    async ask() {
      const first = await count(start)
      return first.last ? Math.max(last ?? counted, first.objects) : first.objects
    },
    async step() {
      const page = await count(after)
      counted += page.objects
      after = page.last ?? start
      if (page.last) return
      last = counted
      counted = 0
    },
  }
}
