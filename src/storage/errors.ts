import { errorTable } from '#kernel'

/** Every code that storage raises. */
export const storageError = errorTable({
  'bucket.missing': { kind: 'missing', retryable: false, message: 'There is no bucket {bucket}.' },
  'bucket.exists': {
    kind: 'conflict',
    retryable: false,
    message: 'The bucket name {bucket} is taken; choose another.',
  },
  'bucket.owned': { kind: 'conflict', retryable: false, message: 'You already have a bucket {bucket}.' },
  'bucket.filled': {
    kind: 'conflict',
    retryable: false,
    message: 'Bucket {bucket} still holds objects or uploads; delete them first.',
  },
  'bucket.changed': {
    kind: 'precondition',
    retryable: false,
    message:
      'Bucket {bucket} was changed meanwhile: it has revision {revision}, you have seen {expected}. Look at it again.',
  },
  'object.missing': { kind: 'missing', retryable: false, message: 'There is no object {key} in bucket {bucket}.' },
  'object.precondition': {
    kind: 'precondition',
    retryable: false,
    message: 'The object is not in the state that {condition} asks for.',
  },
  'object.conflict': { kind: 'conflict', retryable: true, message: 'Another write to {key} came first; try again.' },
  'object.damaged': {
    kind: 'corrupt',
    retryable: true,
    message:
      'A segment of the object cannot be read now: {readable} of {needed} needed shards answered with valid bytes.',
  },
  'body.short': { kind: 'invalid', retryable: true, message: 'The body ended after {got} of {size} bytes.' },
  'body.long': { kind: 'invalid', retryable: false, message: 'The body holds more than the {size} bytes it declared.' },
  'upload.missing': {
    kind: 'missing',
    retryable: false,
    message: 'There is no upload {upload}; it was completed or aborted.',
  },
  'part.missing': { kind: 'missing', retryable: false, message: 'The object has no part {number}.' },
  'part.invalid': {
    kind: 'invalid',
    retryable: false,
    message: 'Part {number} was not uploaded, or with another ETag or checksum.',
  },
  'part.order': { kind: 'invalid', retryable: false, message: 'Parts must be named in ascending order.' },
  'part.small': {
    kind: 'invalid',
    retryable: false,
    message: 'Part {number} has {size} bytes; all but the last need 5 MiB.',
  },
  'policy.unsatisfiable': {
    kind: 'invalid',
    retryable: false,
    message: 'No placement satisfies this policy: {reason}',
  },
  'pool.short': {
    kind: 'unavailable',
    retryable: true,
    message:
      'Only {alive} eligible providers are alive; the policy promises to survive the loss of {promise}. Bring providers back or relax the policy.',
  },
  'directory.expired': {
    kind: 'unavailable',
    retryable: true,
    message:
      'The directory of providers expired at {expired}: nothing new is placed until a fresh one is fetched. Reading goes on.',
  },
  'directory.older': {
    kind: 'unavailable',
    retryable: true,
    message:
      'This gateway has version {version} of the directory of providers, another one has {newest}: nothing new is placed by an older one. It is fetched every few seconds; if this stays so, look whether this gateway reaches the federation.',
  },
  'write.troubled': {
    kind: 'unavailable',
    retryable: true,
    message: 'Providers failed during each of {attempts} attempts to write; try again.',
  },
  'repair.unsafe': {
    kind: 'conflict',
    retryable: true,
    message: 'Segment {segment} was not moved: its new place would not keep the promise. It is looked at again.',
  },
  'repair.failed': {
    kind: 'unavailable',
    retryable: true,
    message: 'Segment {segment} could not be moved: a provider failed meanwhile. It is tried again.',
  },
  'repair.overtaken': {
    kind: 'conflict',
    retryable: true,
    message: 'Segment {segment} was changed by somebody else meanwhile.',
  },
  'pool.full': {
    kind: 'exhausted',
    retryable: true,
    message: 'The eligible providers have no room left; add capacity or delete data.',
  },
  'quota.exceeded': {
    kind: 'exhausted',
    retryable: false,
    message:
      'The quota of this {of} is {limits}, and {bytes} bytes and {objects} objects more do not fit. Delete something, or ask for a larger one.',
  },
  'memory.full': {
    kind: 'unavailable',
    retryable: true,
    message: 'Too many writes are in flight; slow down and try again.',
  },
  'commit.lost': {
    kind: 'unavailable',
    retryable: true,
    message: 'The write took too long and was given up; try again.',
  },
  'commit.uncertain': {
    kind: 'uncertain',
    retryable: true,
    message: 'It is not known whether the write was recorded; read before you retry.',
  },
  'shard.exists': {
    kind: 'conflict',
    retryable: false,
    message: 'Provider {provider} already has a shard of this name.',
  },
  'shard.missing': { kind: 'missing', retryable: false, message: 'Provider {provider} has no such shard.' },
  'shard.full': { kind: 'exhausted', retryable: true, message: 'Provider {provider} has no room left.' },
  'shard.denied': { kind: 'denied', retryable: false, message: 'Provider {provider} refused the request: {reason}' },
  'shard.unreachable': {
    kind: 'unavailable',
    retryable: true,
    message: 'Provider {provider} does not answer: {reason}',
  },
  'shard.busy': {
    kind: 'unavailable',
    retryable: true,
    message: 'Too many requests wait for provider {provider} already.',
  },
  'shard.uncertain': {
    kind: 'uncertain',
    retryable: false,
    message: 'It is not known whether provider {provider} stored the shard: {reason}',
  },
  'shard.range': {
    kind: 'corrupt',
    retryable: false,
    message: 'Provider {provider} has a shard that is shorter than what was asked for.',
  },
  'shard.corrupt': {
    kind: 'corrupt',
    retryable: false,
    message: 'Provider {provider} returned bytes that are not what was stored.',
  },
  'key.commitment': {
    kind: 'corrupt',
    retryable: false,
    message: 'The key of segment {segment} does not match its commitment; the index or the key store is damaged.',
  },
  'key.root': {
    kind: 'corrupt',
    retryable: false,
    message: 'The root key does not open the key store: it is not the one under which the keys were wrapped.',
  },
  'key.lost': {
    kind: 'corrupt',
    retryable: false,
    message: 'The key store has no key of epoch {epoch} for this bucket; restore it from its backup.',
  },
  'key.unavailable': {
    kind: 'unavailable',
    retryable: true,
    message:
      'The root key cannot be reached ({reason}), and the keys that this needs are not in memory. Start what holds the root key, then try again.',
  },
  'key.busy': {
    kind: 'unavailable',
    retryable: true,
    message: 'The root key is asked too often at the moment; try again in a second.',
  },
  'key.retired': {
    kind: 'conflict',
    retryable: true,
    message: 'The key under which this write began was retired meanwhile; write again.',
  },
  'key.rotating': {
    kind: 'conflict',
    retryable: true,
    message: 'The keys of {scope} are being rotated already; `pelago key list BUCKET` says how far it is.',
  },
  'share.invalid': {
    kind: 'invalid',
    retryable: false,
    message: 'This is no share of a recovery kit: {reason}. Type it again from the paper.',
  },
  'share.foreign': {
    kind: 'invalid',
    retryable: false,
    message: 'These shares do not belong together: {reason}. Take two different shares of one kit.',
  },
  'kit.untested': {
    kind: 'denied',
    retryable: false,
    message:
      'No bucket is created before a recovery kit was made and tested ({state}): pelago recovery-kit make, then pelago recovery-kit test. Without one, whoever loses this machine loses everything.',
  },
  'kit.unproved': {
    kind: 'denied',
    retryable: false,
    message: 'What the shares opened is not what this gateway keeps of the kit {kit}. Make a new kit and test that.',
  },
  'kit.unknown': {
    kind: 'missing',
    retryable: false,
    message:
      'This gateway knows no recovery kit {kit}: it was made for another one, or before its index was restored. Make a new one.',
  },
  'disk.exists': { kind: 'conflict', retryable: false, message: 'The file {path} exists.' },
  'disk.full': { kind: 'exhausted', retryable: true, message: 'The disk is full.' },
})
