import { canonicalJson, type Json } from '#kernel'
import { leafHash } from './merkle.ts'

/** What was stated, as it waits for its place in the log. */
export type Stated = {
  topic: string
  about: string
  actor: string
  tenant: string
  /** Milliseconds since 1970 UTC. */
  at: number
  facts: Record<string, Json>
}

/** A fact in the log: `before` is the leaf hash of the entry before, so that none can be taken out or changed unseen. */
export type Entry = Stated & { sequence: number; before: string }

/** `before` of the first entry. */
export const firstBefore = '0'.repeat(64)

/** The bytes that are hashed and proved: canonical JSON of exactly these fields. */
export function entryText({ topic, about, actor, tenant, at, facts, sequence, before }: Entry): string {
  return canonicalJson({ topic, about, actor, tenant, at, facts, sequence, before })
}

export const entryHash = (entry: Entry): Buffer => leafHash(entryText(entry))
