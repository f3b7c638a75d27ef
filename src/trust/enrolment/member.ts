import type { Json } from '#kernel'

/** Who can be enrolled. */
export const memberKinds = ['gateway', 'provider'] as const
export type MemberKind = (typeof memberKinds)[number]

/** Somebody who was let into the federation. A member that was revoked stays known, so that nobody takes its place unseen. */
export type Member = {
  id: string
  kind: MemberKind
  /** What the federation states about a provider, as it was said at the invitation; null for a gateway. */
  facts: Json
  /** X25519, public, hex: for requests of the shard protocol. */
  publicKey: string
  /** ECDSA on P-256, SubjectPublicKeyInfo in DER; undefined for one that was written down by hand before there were identities. */
  identity: Uint8Array | undefined
  /** SHA-256 of the identity, hex; empty where there is none. */
  pin: string
  /** Where a provider is reached, and how much it takes; empty and 0 for a gateway. */
  endpoint: string
  capacityBytes: number
  state: 'active' | 'revoked'
  /** When it joined with these keys, and when it was revoked; milliseconds since 1970. */
  since: number
  revokedAt: number | undefined
}

/** Names that parts of Pelago have for themselves. */
const taken = new Set(['anyone', 'system', 'operator', 'admin', 'federation', 'supervisor', 'unwrap'])

/** Whether a text can be a member's id: what the log, the directory and certificates all take. */
export function isMemberId(text: string): boolean {
  return /^[a-z][a-z0-9-]{0,63}$/.test(text) && !taken.has(text)
}
