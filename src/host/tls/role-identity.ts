import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { certificateOf, checkCertificate, type Identity, pinOfKey } from '#trust'
import { writePrivate } from '../disk/write-file.ts'
import { hostError } from '../errors.ts'
import type { CertificateSource } from './credentials.ts'

/** What a certificate's issuer answers: PEM each, the certificate with what stands behind it. */
export type Issued = { certificate: string; authority: string }

/** Who a role is on the wire: its key, its certificate, and the authority that it believes. */
export type RoleIdentity = Identity & {
  key: KeyObject
  pin: string
  /** For listeners and callers. */
  source: CertificateSource
  certificate(): X509Certificate
  authority(): X509Certificate
  /**
   * Shows another certificate from now on, and keeps it.
   * @throws tls.authority, tls.identity, tls.pin, tls.early, tls.expired for one that others would not believe
   */
  take(issued: Issued): void
}

/** Files that a member got when it joined, PEM. */
export type EnrolledFiles = { identityFile: string; certificateFile: string; authorityFile: string }

/**
 * Opens what a role got when it joined. An expired certificate is opened too: only who shows one can get another.
 * @throws file.missing, tls.files, certificate.unreadable
 */
export function openRoleIdentity({ now }: { now(): number }, files: EnrolledFiles, identity: Identity): RoleIdentity {
  for (const file of Object.values(files)) if (!existsSync(file)) throw hostError('file.missing', { file })
  const key = createPrivateKey(readFileSync(files.identityFile))
  const cert = readFileSync(files.certificateFile, 'utf8')
  if (!certificateOf(cert).checkPrivateKey(key))
    throw hostError('tls.files', { key: files.identityFile, certificate: files.certificateFile })
  const keep = (issued: Issued) => writePrivate(files.certificateFile, issued.certificate)
  return keptIdentity({ now, keep }, identity, key, {
    certificate: cert,
    authority: readFileSync(files.authorityFile, 'utf8'),
  })
}

/** An identity out of what was issued. @param ports.keep called with each further one before it is shown */
export function keptIdentity(
  { now, keep }: { now(): number; keep(issued: Issued): void },
  identity: Identity,
  key: KeyObject,
  first: Issued,
): RoleIdentity {
  const authority = certificateOf(first.authority)
  const secret = key.export({ format: 'pem', type: 'pkcs8' })
  const pin = pinOfKey(key)
  const heard = new Set<() => void>()
  let shown = { pem: first.certificate, certificate: certificateOf(first.certificate) }
  return {
    ...identity,
    key,
    pin,
    source: {
      current: () => ({ cert: shown.pem, key: secret }),
      onChange(hear) {
        heard.add(hear)
        return () => void heard.delete(hear)
      },
    },
    certificate: () => shown.certificate,
    authority: () => authority,
    take(issued) {
      const certificate = certificateOf(issued.certificate)
      checkCertificate(certificate, { ...identity, authority, pin, now: now(), peer: 'this role' })
      keep(issued)
      shown = { pem: issued.certificate, certificate }
      for (const hear of heard) hear()
    },
  }
}
