import { errorTable } from '#kernel'

/** What the command line finds wrong before it asks anybody. */
export const cliError = errorTable({
  'policy.unreadable': { kind: 'invalid', retryable: false, message: 'The file {file} is not JSON: {reason}.' },
  'quota.words': { kind: 'invalid', retryable: false, message: '{reason}' },
  'rotate.what': {
    kind: 'invalid',
    retryable: false,
    message: 'Say whose keys: pelago key rotate BUCKET, or --packs, or --root.',
  },
  'root.needed': {
    kind: 'conflict',
    retryable: true,
    message:
      'No root key was taken away: {epochs} keys are still wrapped by older ones, or the root key does not answer. Look again with pelago key list --root.',
  },
  'address.keyless': { kind: 'invalid', retryable: false, message: 'Name the object too, like s3://{bucket}/key.' },
  'proof.wrong': {
    kind: 'corrupt',
    retryable: false,
    message: 'The server gave a proof that does not hold: {says}: {fault}. Run `pelago log verify`.',
  },
})
