import { createHmac } from 'node:crypto'
import { canonicalJson } from '#kernel'

/** What a plane needs to state facts. The key hides names: who holds it can look for one, nobody else can. */
export type Journal = { nameKey: Uint8Array }

const hiddenBytes = 16

/**
 * A name as the log keeps it. Equal names of two tenants do not look alike.
 * @returns `hidden:` and 32 hex digits: the first 16 bytes of HMAC-SHA256 over the canonical JSON of [tenant, name]
 */
export function hideName({ nameKey }: Journal, tenant: string, name: string): string {
  const hash = createHmac('sha256', nameKey)
    .update(canonicalJson([tenant, name]))
    .digest()
  return `hidden:${hash.subarray(0, hiddenBytes).toString('hex')}`
}

/** Parts of Pelago that act by themselves, and the roles that tokens of this machine stand for. */
const ownActors = new Set(['anyone', 'system', 'operator', 'admin', 'gateway', 'federation', 'supervisor', 'provider'])
const opaque = /^([a-z]{1,16}[:-])?[0-9a-f]{16,64}$/

/** Who acted, or for whom: an opaque identifier as it is, whatever else as a hidden name. */
export function hidePerson(journal: Journal, tenant: string, actor: string): string {
  return ownActors.has(actor) || opaque.test(actor) ? actor : hideName(journal, tenant, actor)
}

const tenantId = /^[a-z0-9][a-z0-9-]{0,63}$/

/** A tenant's identifier; empty for what concerns all of them. */
export function hideTenant(journal: Journal, tenant: string): string {
  return tenant === '' || tenantId.test(tenant) ? tenant : hideName(journal, '', tenant)
}
