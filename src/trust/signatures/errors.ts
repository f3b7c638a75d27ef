import { errorTable } from '#kernel'

/** Why a signed request is not believed. Every message says what to do, for its sender is a machine that somebody looks after. */
export const signatureError = errorTable({
  'signature.malformed': {
    kind: 'denied',
    retryable: false,
    message: 'The signature of the request cannot be read: {reason}. RFC 9421 says how it is written.',
  },
  'signature.uncovered': {
    kind: 'denied',
    retryable: false,
    message: 'The signature of the request does not cover {missing}; it must cover {needed}.',
  },
  'signature.algorithm': {
    kind: 'denied',
    retryable: false,
    message: 'The request is signed by {algorithm}; ecdsa-p256-sha256 is wanted.',
  },
  'signature.authority': {
    kind: 'denied',
    retryable: false,
    message: 'The request is signed for {stated}, and this is {known}. Ask under the address that you were given.',
  },
  'signature.early': {
    kind: 'denied',
    retryable: false,
    message: 'The request was signed {seconds} s in the future. Let both machines set their clocks by NTP.',
  },
  'signature.expired': {
    kind: 'denied',
    retryable: false,
    message:
      'The signature of the request ended {seconds} s ago. Sign it anew; let both machines set their clocks by NTP.',
  },
  'signature.lasting': {
    kind: 'denied',
    retryable: false,
    message: 'The signature of the request would be good for {seconds} s; at most {most} s are allowed.',
  },
  'signature.wrong': {
    kind: 'denied',
    retryable: false,
    message:
      'The signature does not fit the request: its method, path, query, digest or times were changed, or another key signed it.',
  },
  'signature.replayed': { kind: 'denied', retryable: false, message: 'This very request came before. Sign a new one.' },
  'signature.crowded': {
    kind: 'unavailable',
    retryable: true,
    message: 'Too many signed requests came within minutes ({most}); wait {retryAfter} s.',
  },
  'digest.malformed': {
    kind: 'denied',
    retryable: false,
    message: 'The Content-Digest of the request cannot be read; it must be one of sha-256 (RFC 9530).',
  },
  'digest.wrong': {
    kind: 'denied',
    retryable: false,
    message: 'The body of the request is not the one that was signed.',
  },
})
