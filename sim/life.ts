import type { Call } from '#kernel'
import type { ObjectStorage } from '#storage'
import type { Archipelago, Gateway, Island } from './archipelago.ts'
import type { Model } from './model.ts'
import type { World } from './world.ts'

/** The one bucket of a life. */
export const bucket = 'ocean'
/** Virtual time within which everything must have come to rest. */
export const quietLimitMs = 180_000

/** All that one life knows. */
export type Life = {
  world: World
  archipelago: Archipelago
  model: Model
  /** The providers that may fail now: never more than the policy's promise. */
  bad: Island[]
  wide: boolean
  /** Whether this life's faults destroy bytes; then the same two providers are bad all along. */
  lasting: boolean
  /** Providers whose disks lost bytes. */
  damaged: Set<string>
  nextId: number
  /** What went wrong beside the clients. */
  problems: unknown[]
  /** A provider that never comes back. */
  gone?: string
  /** Which phase runs; -1 between phases, when nothing may fail. */
  phase: number
  /** Whether how much may be stored is bounded. */
  quotas?: boolean
}

/** Runs the world until a promise settles. */
export async function finish<T>(life: Life, act: () => Promise<T>): Promise<T> {
  let done = false
  const promise = act()
  promise.then(
    () => {
      done = true
    },
    () => {
      done = true
    },
  )
  await life.world.runUntil(() => done, quietLimitMs)
  return promise
}

/** Lets virtual time pass. */
export async function sleepFor({ world }: Life, ms: number): Promise<void> {
  const until = world.clock.now() + ms
  let over = false
  world.clock.after(ms, () => {
    over = true
  })
  await world.runUntil(() => over || world.clock.now() > until, ms + 1)
}

/** A call by the one tenant there is. */
export function newCall(): Call {
  return {
    actor: 'sim',
    tenant: 'acme',
    signal: new AbortController().signal,
    trace: 'sim',
  }
}

/** Asks one gateway. Resolves with the outcome, or with 'died' when it dies first. */
export async function ask<T>(
  { storage, died }: Gateway,
  act: (objects: ObjectStorage) => Promise<T>,
): Promise<{ value: T } | { error: unknown } | 'died'> {
  return new Promise((resolve) => {
    const end = () => resolve('died')
    died.add(end)
    act(storage.objects).then(
      (value) => {
        died.delete(end)
        resolve({ value })
      },
      (error: unknown) => {
        died.delete(end)
        resolve({ error })
      },
    )
  })
}
