import { createPrivateKey, type KeyObject } from 'node:crypto'
import { type Authority, makeAuthority, openAuthority } from '#trust'
import { type StoredCertificate, findCertificate, keepCertificate } from './certificates.store.ts'
import { issueOwn } from './issue-own.ts'
import type { EndpointPorts } from './ports.ts'
import { certificatePurpose, putCertificate } from './put-certificate.ts'
import { certificateId, type WantedCertificate } from './wanted.ts'

const authorityId = 'authority'
const serialBytes = 16

/**
 * Makes sure that there are an authority of these gateways' own and a certificate of it, once for all of them.
 * @returns the authority's certificate (PEM), which clients are to trust
 * @throws authority.unfit, endpoint.damaged
 */
export async function ensureOwn(ports: EndpointPorts, wanted: WantedCertificate): Promise<string> {
  const authority = await ownAuthority(ports)
  const id = certificateId(wanted)
  if (!(await ports.database.read(() => findCertificate(id)))) {
    const key = ports.newKey()
    const now = ports.clock.now()
    const chain = await issueOwn(authority, { key, names: wanted.names, now, serial: ports.random.bytes(serialBytes) })
    await ports.database.transact(function* () {
      if (yield* findCertificate(id)) return
      yield* putCertificate(ports, { id, by: 'self-made', chain, key: pemOf(key), now })
    })
  }
  return authority.certificate.toString()
}

/** Makes the certificate that follows the one there is. @returns it and its key, PEM */
export async function renewOwn(
  ports: EndpointPorts,
  wanted: WantedCertificate,
): Promise<{ chain: string; key: string }> {
  const key = ports.newKey()
  const input = { key, names: wanted.names, now: ports.clock.now(), serial: ports.random.bytes(serialBytes) }
  return { chain: await issueOwn(await ownAuthority(ports), input), key: pemOf(key) }
}

export const pemOf = (key: KeyObject): string => key.export({ format: 'pem', type: 'pkcs8' })

async function ownAuthority(ports: EndpointPorts): Promise<Authority> {
  const { clock, database, random, sealer } = ports
  const kept = () => database.read(() => findCertificate(authorityId))
  const open = ({ chain, sealed }: StoredCertificate) => {
    const key = createPrivateKey(sealer.open(certificatePurpose(authorityId), sealed))
    return openAuthority({ key, certificate: chain, now: clock.now() })
  }
  const found = await kept()
  if (found) return open(found)
  const key = ports.newKey()
  const now = clock.now()
  const made = await makeAuthority({ key, name: 'Pelago endpoint', now, serial: random.bytes(serialBytes) })
  const sealed = sealer.seal(certificatePurpose(authorityId), pemOf(key))
  await database.transact(() => keepCertificate(authorityId, made, sealed, now))
  // Another gateway may have been quicker.
  return open((await kept()) ?? { chain: made, sealed, takenAt: now, trouble: '', troubledAt: 0 })
}
