import type { X509Certificate } from 'node:crypto'
import { trustError } from '../errors.ts'

/** Roles that have a certificate. */
export type TrustRole = 'federation' | 'provider' | 'gateway'
/** Whom a certificate is for. */
export type Identity = { role: TrustRole; id: string }

const uri = /^urn:pelago:(federation|provider|gateway):([a-z0-9][a-z0-9-]{0,63})$/

/** The name of a role in its certificate's subjectAltName. @throws certificate.identity */
export function identityUri({ role, id }: Identity): string {
  const text = `urn:pelago:${role}:${id}`
  if (!uri.test(text)) throw trustError('certificate.identity', { id })
  return text
}

/** @returns undefined where a certificate names no role, or more than one */
export function identityOf(certificate: X509Certificate): Identity | undefined {
  // Node puts quotes around what could be taken for something else, so no name can pretend to be two.
  const names = (certificate.subjectAltName ?? '').split(', ').filter((name) => name.startsWith('URI:'))
  const [, role, id] = names.length === 1 ? (uri.exec(names[0]?.slice('URI:'.length) ?? '') ?? []) : []
  return id === undefined ? undefined : { role: role as TrustRole, id }
}
