/** Who is who on the wire: the federation's authority, certificates of roles, and what is looked at before one is believed. */
export { type Authority, authorityMs, makeAuthority, openAuthority } from './certificates/authority.ts'
export { type ExpectedPeer, checkCertificate } from './certificates/check-certificate.ts'
export { type Identity, identityOf, identityUri, type TrustRole } from './certificates/identity.ts'
export { type CertificateInput, issueCertificate, leafMs } from './certificates/issue-certificate.ts'
export { certificateOf, pinOf, pinOfKey } from './certificates/pin.ts'
export { renewalAt } from './certificates/renewal.ts'
export { loadX509 } from './certificates/x509.ts'
export { trustError } from './errors.ts'
