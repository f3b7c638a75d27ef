import { errorTable } from '#kernel'

/** Why a link between roles is refused, and what is wrong with keys and certificates. Every message says what to do. */
export const trustError = errorTable({
  'tls.none': {
    kind: 'denied',
    retryable: false,
    message: '{peer} shows no certificate. Who speaks to it must be enrolled, and it must show what it got then.',
  },
  'tls.authority': {
    kind: 'denied',
    retryable: false,
    message:
      "The certificate of {peer} was not issued by this federation's authority: {reason}. Enrol it here, or look who answers at its address.",
  },
  'tls.expired': {
    kind: 'denied',
    retryable: false,
    message:
      'The certificate of {peer} expired on {until}. It renews by itself while it reaches the federation; `pelago doctor` there says why it did not.',
  },
  'tls.early': {
    kind: 'denied',
    retryable: true,
    message: 'The certificate of {peer} begins to be good on {from}. Compare the clocks.',
  },
  'tls.identity': {
    kind: 'denied',
    retryable: false,
    message:
      'The certificate of {peer} is for {found}. Look at the address, or at the files that the other side was given.',
  },
  'tls.pin': {
    kind: 'denied',
    retryable: false,
    message:
      'The key of {peer} is not the one that the federation enrolled. If it was enrolled anew, wait for the next directory; else somebody stands in its place.',
  },
  'certificate.names': {
    kind: 'invalid',
    retryable: false,
    message: '{name} is neither a DNS name nor an IP address, so no certificate can be made for it.',
  },
  'certificate.identity': {
    kind: 'invalid',
    retryable: false,
    message: '{id} is no short name of lower-case letters, digits and hyphens, so no certificate can be made for it.',
  },
  'certificate.key': {
    kind: 'invalid',
    retryable: false,
    message: 'A certificate is made for an ECDSA key on P-256 only: {reason}.',
  },
  'certificate.unreadable': {
    kind: 'corrupt',
    retryable: false,
    message: 'A certificate cannot be read: {reason}. Take it from where it was issued again.',
  },
  'authority.unfit': {
    kind: 'corrupt',
    retryable: false,
    message: "The federation's authority cannot issue certificates: {reason}. Restore its two files from a copy.",
  },
})
