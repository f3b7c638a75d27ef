/**
 * Who is who on the wire: the federation's authority, certificates of roles, and what is looked at before one is believed; who is
 * enrolled, and how its machines sign their requests.
 */
export { type Authority, authorityMs, makeAuthority, openAuthority } from './certificates/authority.ts'
export { type ExpectedPeer, checkCertificate } from './certificates/check-certificate.ts'
export { type Identity, identityOf, identityUri, type TrustRole } from './certificates/identity.ts'
export { type CertificateInput, issueCertificate, leafMs } from './certificates/issue-certificate.ts'
export { p256, publicKeyOf as openIdentity, serialText, signingKeyOf } from './certificates/material.ts'
export { certificateOf, pinOf, pinOfKey } from './certificates/pin.ts'
export { lifeOf, renewalAt } from './certificates/renewal.ts'
export { loadX509 } from './certificates/x509.ts'
export { enrolmentError } from './enrolment/errors.ts'
export { type InvitationCode, readInvitationCode, writeInvitationCode } from './enrolment/invitation-code.ts'
export { inviteMember } from './enrolment/invite-member.ts'
export { joinMember } from './enrolment/join-member.ts'
export { knowMember } from './enrolment/know-member.ts'
export { isMemberId, type Member, type MemberKind, memberKinds } from './enrolment/member.ts'
export { activeMembers, findMember, membersAfter } from './enrolment/members.store.ts'
export { enrolmentMigrations } from './enrolment/migrations.ts'
export type { EnrolmentPorts } from './enrolment/ports.ts'
export { revokeMember } from './enrolment/revoke-member.ts'
export { takeMembers } from './enrolment/take-members.ts'
export { trustError } from './errors.ts'
export { checkContentDigest, contentDigest } from './signatures/content-digest.ts'
export { signatureError } from './signatures/errors.ts'
export { type Nonces, openNonces } from './signatures/nonces.ts'
export {
  checkSignature,
  isSignedRequest,
  readSignature,
  type RequestSignature,
  type SignableRequest,
  signatureMs,
  signRequest,
} from './signatures/request-signature.ts'
