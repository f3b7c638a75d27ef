import type { KeyObject } from 'node:crypto'
import type { Journal } from '#journal'
import type { Clock, Database, EgressFetch, Log, Random } from '#kernel'
import type { Sealer } from './seal.ts'

export type EndpointPorts = {
  /** The index, which all gateways share. */
  database: Database
  clock: Clock
  random: Random
  log: Log
  journal: Journal
  sealer: Sealer
  /** Makes an ECDSA private key on P-256. */
  newKey(): KeyObject
}

/** The same, with the way to a certification authority. */
export type AcmePorts = EndpointPorts & {
  egress: EgressFetch
  /** What this program is called, for `User-Agent`. */
  agent: string
}
