import type { KeyObject } from 'node:crypto'
import type { GatewayEntry } from '#pool'
import { sharedKey } from '#storage'
import type { EnrolledGateway, GatewayKeys } from '../shards/shard-server.ts'

/** Gateways that a provider takes requests of: those of a directory, or of a list. */
export type EnrolledGateways = {
  keys: GatewayKeys
  /** Takes exactly these from now on. @returns ids of those who are not taken any more with the keys that they had */
  take(gateways: readonly Listed[]): string[]
}

type Listed = Pick<GatewayEntry, 'id' | 'publicKey'> & Partial<Pick<GatewayEntry, 'pin'>>

/** @param key X25519, the provider's private one; @param own its public one */
export function openEnrolledGateways(key: KeyObject, own: Uint8Array): EnrolledGateways {
  const known = new Map<string, EnrolledGateway & { publicKey: string }>()
  return {
    keys: known,
    take(gateways) {
      const next = new Map(gateways.map((gateway) => [gateway.id, gateway]))
      const gone: string[] = []
      for (const [id, { publicKey, pin }] of known) {
        const now = next.get(id)
        if (now?.publicKey === publicKey && now.pin === pin) continue
        known.delete(id)
        gone.push(id)
      }
      for (const [id, { publicKey, pin }] of next) {
        if (known.has(id)) continue
        const theirs = Buffer.from(publicKey, 'hex')
        known.set(id, { shared: sharedKey(key, theirs, theirs, own), pin, publicKey })
      }
      return gone
    },
  }
}
