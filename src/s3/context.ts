import type { Verified } from '#access'
import type { Call, Clock, Offload } from '#kernel'
import type { ObjectStorage } from '#storage'
import type { Address } from './address.ts'
import type { Authority, BucketPolicies } from './authorise.ts'
import type { S3Config, S3Request, S3Response } from './wire.ts'

/** All that an operation may use. */
export type Context = {
  request: S3Request
  address: Address
  /** First value of a query parameter. */
  query(name: string): string | undefined
  verified: Verified
  /** Allowed already for the operation's own action. */
  call: Call
  /** For what an operation does besides. */
  authority: Authority
  policies: BucketPolicies | undefined
  storage: ObjectStorage
  offload: Offload
  clock: Clock
  config: S3Config
}

export type Operation = (context: Context) => Promise<S3Response>

export const xmlResponse = (body: Uint8Array, headers: Record<string, string> = {}): S3Response => ({
  status: 200,
  headers: { 'content-type': 'application/xml', ...headers },
  body,
})

export const quoted = (etag: string) => `"${etag}"`

/** `2026-01-31T08:00:00.000Z`, as S3's XML has it. */
export const isoTime = (at: number) => new Date(at).toISOString()
