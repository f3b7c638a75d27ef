import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { type Authority, issueCertificate, makeAuthority, openAuthority, pinOfKey, type TrustRole } from '#trust'

/** What a role has to show, and what it is known by. */
export type TestIdentity = { cert: string; key: string; pin: string; privateKey: KeyObject }

export const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

/** An authority for tests. */
export async function testAuthority(now = Date.now()): Promise<{
  authority: Authority
  pem: string
  issue(
    role: TrustRole,
    id: string,
    options?: { now?: number; lifeMs?: number; key?: KeyObject; names?: string[] },
  ): Promise<TestIdentity>
}> {
  const key = newKey()
  const pem = await makeAuthority({ key, name: 'Test', now: now - 3600_000, serial: randomBytes(16) })
  const authority = openAuthority({ key, certificate: pem, now })
  return {
    authority,
    pem,
    async issue(role, id, { key: own = newKey(), names = ['localhost', '127.0.0.1'], ...times } = {}) {
      const publicKey = publicOf(own)
      const cert = await issueCertificate(authority, {
        ...{ role, id, publicKey, names, now, serial: randomBytes(16) },
        ...times,
      })
      return {
        cert,
        key: own.export({ format: 'pem', type: 'pkcs8' }),
        pin: pinOfKey(own),
        privateKey: own,
      }
    },
  }
}

function publicOf(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ format: 'der', type: 'spki' })
}

/** A source that shows what it was given last. */
export function changingSource(first: { cert: string; key: string }) {
  const heard = new Set<() => void>()
  let now = first
  return {
    current: () => ({ cert: now.cert, key: now.key }),
    onChange(hear: () => void) {
      heard.add(hear)
      return () => void heard.delete(hear)
    },
    change(next: { cert: string; key: string }) {
      now = next
      for (const hear of heard) hear()
    },
  }
}
