import { createHash, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import { makeAuthority, openAuthority } from '#trust'
import { issueOwn, ownMs } from '../../src/endpoint/issue-own.ts'

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

/** An authority that clients of a test trust, and certificates of it. */
export type OwnAuthority = {
  /** PEM. */
  root: string
  /** @param leftMs how long it is still good, milliseconds. @returns chain and key, PEM */
  issue(names: readonly string[], leftMs?: number): Promise<{ chain: string; key: string }>
}

export async function openOwnAuthority(): Promise<OwnAuthority> {
  const key = newKey()
  const now = Date.now()
  const root = await makeAuthority({ key, name: 'Test', now: now - ownMs, serial: randomBytes(16) })
  const authority = openAuthority({ key, certificate: root, now })
  return {
    root,
    async issue(names, leftMs = ownMs) {
      const leaf = newKey()
      const input = { key: leaf, names, now: Date.now() - ownMs + leftMs, serial: randomBytes(16) }
      return { chain: await issueOwn(authority, input), key: leaf.export({ format: 'pem', type: 'pkcs8' }) }
    },
  }
}

/** As logs and connections tell certificates apart: SHA-256 of the first one, hex. */
export const digestOf = (pem: string) => createHash('sha256').update(new X509Certificate(pem).raw).digest('hex')
