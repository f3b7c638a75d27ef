/** Certificates that clients from outside see: looked at, made here, or ordered from an authority by ACME (RFC 8555). */
export { challengeCertificate, challengeProtocol } from './acme/challenge.ts'
export { lookMs } from './acme/order.ts'
export { certificateJob, certificateJobName } from './certificate-job.ts'
export {
  type Certificate,
  type CertificateFacts,
  factsOf,
  isAddress,
  judgeCertificate,
  uncoveredBy,
} from './certificate.ts'
export { type ChallengeAnswer, type ChallengeKind, challengeKinds, endpointMigrations } from './certificates.store.ts'
export { endpointError } from './errors.ts'
export { hastenCertificate } from './hasten-certificate.ts'
export { ensureOwn } from './make-own.ts'
export type { AcmePorts, EndpointPorts } from './ports.ts'
export { readShared, type Shared } from './read-shared.ts'
export { openSealer, type Sealer } from './seal.ts'
export { type AcmeConfig, certificateId, type WantedCertificate } from './wanted.ts'
