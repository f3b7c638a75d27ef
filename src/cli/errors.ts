import { errorTable } from '#kernel'

/** What the command line finds wrong before it asks anybody. */
export const cliError = errorTable({
  'policy.unreadable': { kind: 'invalid', retryable: false, message: 'The file {file} is not JSON: {reason}.' },
  'quota.words': { kind: 'invalid', retryable: false, message: '{reason}' },
  'address.keyless': { kind: 'invalid', retryable: false, message: 'Name the object too, like s3://{bucket}/key.' },
  'proof.wrong': {
    kind: 'corrupt',
    retryable: false,
    message: 'The server gave a proof that does not hold: {says}: {fault}. Run `pelago log verify`.',
  },
})
