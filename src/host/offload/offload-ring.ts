import type { HashAlgorithm } from '#kernel'

/** Bytes of one slot, and how many slots a lane has: the most that may wait for its thread. */
export const slotBytes = 128 * 1024
export const slots = 32

/** What lies in a slot. */
export const update = 0
export const digest = 1
export const drop = 2

/** Places in the control array, before the entries. */
export const produced = 0
export const consumed = 1
/** Set by the producer that found the ring full; the consumer then sends one message when there is room. */
export const wanted = 2
const header = 4
const entryInts = 4
export const controlInts = header + slots * entryInts

/** Where the entry of the n-th job is: hash id, algorithm, kind, length. Counts wrap with the Int32 that holds them. */
export function entryOf(job: number): number {
  return header + slotOf(job) * entryInts
}

/** Which slot the n-th job uses. */
export function slotOf(job: number): number {
  return (job >>> 0) % slots
}

export const algorithms: HashAlgorithm[] = ['md5', 'sha1', 'sha256', 'sha512']

export type LaneData = { control: SharedArrayBuffer; bytes: SharedArrayBuffer }
export type LaneReply = { id: number; digest: Uint8Array } | 'room'
