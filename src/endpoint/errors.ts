import { errorTable } from '#kernel'

/** Why the endpoints of a gateway have no certificate, or not the one that was given. Every message says what to do. */
export const endpointError = errorTable({
  'endpoint.unreadable': {
    kind: 'invalid',
    retryable: false,
    message:
      'The {what} cannot be read: {reason}. It must be PEM, the key unencrypted; take it from who issued it again.',
  },
  'endpoint.mismatch': {
    kind: 'invalid',
    retryable: false,
    message:
      'The private key does not belong to the certificate for {names}. Give the two that were made together, the certificate of the server first in its file.',
  },
  'endpoint.expired': {
    kind: 'invalid',
    retryable: false,
    message: 'The certificate for {names} expired on {until}. Get a new one and put it in its place.',
  },
  'endpoint.early': {
    kind: 'invalid',
    retryable: false,
    message: 'The certificate for {names} begins to be good on {from}. Look at the clock of this machine, or wait.',
  },
  'endpoint.uncovered': {
    kind: 'invalid',
    retryable: false,
    message:
      'The certificate is for {names}, but the gateway is also reached as {missing}. Get one that covers it, or take the name out of `s3.hostnames`.',
  },
  'endpoint.purpose': {
    kind: 'invalid',
    retryable: false,
    message: 'The certificate for {names} is not for servers; clients would refuse it. Get one for a TLS server.',
  },
  'endpoint.damaged': {
    kind: 'corrupt',
    retryable: false,
    message:
      'The {what} in the index cannot be opened with the keys of this gateway. Was the index restored without its key store? Then delete the row of endpoint_certificates or endpoint_accounts, so that it is made anew.',
  },
  'acme.refused': {
    kind: 'denied',
    retryable: false,
    message: '{server} refuses ({type}): {detail}',
  },
  'acme.limited': {
    kind: 'exhausted',
    retryable: true,
    message: '{server} wants fewer requests: {detail} It is asked again after {again}.',
  },
  'acme.busy': {
    kind: 'unavailable',
    retryable: true,
    message: '{server} cannot answer now (status {status}): {detail}',
  },
  'acme.answer': {
    kind: 'unavailable',
    retryable: true,
    message: '{server} answers what RFC 8555 does not have: {reason}. Is it the URL of an ACME directory?',
  },
  'acme.terms': {
    kind: 'denied',
    retryable: false,
    message: '{server} wants its terms accepted anew: {detail} Read them, then say so with `termsAgreed`.',
  },
  'acme.binding': {
    kind: 'invalid',
    retryable: false,
    message:
      '{server} gives accounts only to those it knows. Put the key that it gave you into `certificate.externalAccount`.',
  },
  'acme.profile': {
    kind: 'invalid',
    retryable: false,
    message: '{server} has no profile {profile}; it has: {known}. Change `certificate.profile`, or leave it out.',
  },
  'acme.unprovable': {
    kind: 'invalid',
    retryable: false,
    message:
      '{server} offers {offered} for {host}, and this gateway answers {answered}. Change `certificate.challenges`; dns-01 is not built.',
  },
  'acme.challenge': {
    kind: 'unavailable',
    retryable: true,
    message:
      '{server} could not find the answer of this gateway for {host} by {challenge}: {detail} Look at the DNS name, the firewall, and port {port} of this machine.',
  },
  'acme.order': { kind: 'unavailable', retryable: true, message: '{server} gave the order up: {detail}' },
  'acme.slow': {
    kind: 'unavailable',
    retryable: true,
    message: '{server} did not issue the certificate within {minutes} minutes; it is ordered anew.',
  },
  'acme.foreign': {
    kind: 'unavailable',
    retryable: true,
    message: '{server} issued a certificate that is not what was ordered: {reason}',
  },
})
