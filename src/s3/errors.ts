import { errorTable, PelagoError } from '#kernel'

/** What the edge itself finds wrong with a request. */
export const s3Error = errorTable({
  's3.argument': { kind: 'invalid', retryable: false, message: '{name} is not valid: {reason}.' },
  's3.request': { kind: 'invalid', retryable: false, message: '{reason}' },
  's3.uri': { kind: 'invalid', retryable: false, message: 'The path cannot be decoded.' },
  's3.key-long': { kind: 'invalid', retryable: false, message: 'A key has at most 1024 bytes.' },
  's3.bucket-name': {
    kind: 'invalid',
    retryable: false,
    message:
      'A bucket name has 3 to 63 of a-z, 0-9, dot and hyphen, begins and ends with a letter or digit, and is no address.',
  },
  's3.xml': {
    kind: 'invalid',
    retryable: false,
    message: 'The XML in the body is not what this operation takes: {reason}.',
  },
  's3.length': { kind: 'invalid', retryable: false, message: 'The length of the body must be stated.' },
  's3.large': {
    kind: 'invalid',
    retryable: false,
    message: 'The body has more than the {limit} bytes that are allowed here.',
  },
  's3.metadata': { kind: 'invalid', retryable: false, message: 'User metadata has at most 2048 bytes.' },
  's3.digest-form': { kind: 'invalid', retryable: false, message: 'Content-MD5 is not the base64 of 16 bytes.' },
  's3.digest': { kind: 'invalid', retryable: true, message: 'The {name} that was sent does not match the body.' },
  's3.sha256': { kind: 'invalid', retryable: true, message: 'x-amz-content-sha256 does not match the body.' },
  's3.incomplete': { kind: 'invalid', retryable: true, message: 'The body broke off or is framed wrongly: {reason}.' },
  's3.range': {
    kind: 'invalid',
    retryable: false,
    message: 'The range is outside of the object, which has {size} bytes.',
  },
  's3.unmodified': { kind: 'precondition', retryable: false, message: 'The object was not modified.' },
  's3.precondition': { kind: 'precondition', retryable: false, message: '{condition} does not hold.' },
  's3.no-policy': { kind: 'missing', retryable: false, message: 'The bucket {bucket} has no policy.' },
  's3.unbuilt': { kind: 'unbuilt', retryable: false, message: '{what} is not built yet.' },
  's3.slow-down': {
    kind: 'exhausted',
    retryable: true,
    message: 'More than {limit} {what} are not served. Try again in {retryAfter} s, with fewer.',
  },
  's3.method': { kind: 'invalid', retryable: false, message: '{method} is not allowed here.' },
})

/** Each code's answer on the wire: status, and S3's own code. What is not here is a failure of ours. */
const answers: Record<string, readonly [number, string]> = {
  'access.anonymous': [403, 'AccessDenied'],
  'access.malformed': [400, 'AuthorizationHeaderMalformed'],
  'access.unknown': [403, 'InvalidAccessKeyId'],
  'access.signature': [403, 'SignatureDoesNotMatch'],
  'access.skewed': [403, 'RequestTimeTooSkewed'],
  'access.expired': [403, 'AccessDenied'],
  'access.denied': [403, 'AccessDenied'],
  'access.token': [400, 'InvalidToken'],
  'access.token-expired': [400, 'ExpiredToken'],
  'access-policy.invalid': [400, 'MalformedPolicy'],
  'access-policy.public': [403, 'AccessDenied'],
  's3.no-policy': [404, 'NoSuchBucketPolicy'],
  's3.argument': [400, 'InvalidArgument'],
  's3.request': [400, 'InvalidRequest'],
  's3.uri': [400, 'InvalidURI'],
  's3.key-long': [400, 'KeyTooLongError'],
  's3.bucket-name': [400, 'InvalidBucketName'],
  's3.xml': [400, 'MalformedXML'],
  's3.length': [411, 'MissingContentLength'],
  's3.large': [400, 'EntityTooLarge'],
  's3.metadata': [400, 'MetadataTooLarge'],
  's3.digest-form': [400, 'InvalidDigest'],
  's3.digest': [400, 'BadDigest'],
  's3.sha256': [400, 'XAmzContentSHA256Mismatch'],
  's3.incomplete': [400, 'IncompleteBody'],
  's3.range': [416, 'InvalidRange'],
  's3.unmodified': [304, 'NotModified'],
  's3.precondition': [412, 'PreconditionFailed'],
  's3.unbuilt': [501, 'NotImplemented'],
  's3.method': [405, 'MethodNotAllowed'],
  'bucket.missing': [404, 'NoSuchBucket'],
  'bucket.exists': [409, 'BucketAlreadyExists'],
  'bucket.owned': [409, 'BucketAlreadyOwnedByYou'],
  'bucket.filled': [409, 'BucketNotEmpty'],
  'kit.untested': [403, 'AccessDenied'],
  'object.missing': [404, 'NoSuchKey'],
  'object.precondition': [412, 'PreconditionFailed'],
  'object.conflict': [409, 'ConditionalRequestConflict'],
  'object.damaged': [503, 'ServiceUnavailable'],
  'body.short': [400, 'IncompleteBody'],
  'body.long': [400, 'IncompleteBody'],
  'upload.missing': [404, 'NoSuchUpload'],
  'part.missing': [416, 'InvalidPartNumber'],
  'part.invalid': [400, 'InvalidPart'],
  'part.order': [400, 'InvalidPartOrder'],
  'part.small': [400, 'EntityTooSmall'],
  'policy.unsatisfiable': [400, 'InvalidRequest'],
  'database.busy': [503, 'SlowDown'],
  // As Ceph answers; AWS has no quotas.
  'quota.exceeded': [403, 'QuotaExceeded'],
  'memory.full': [503, 'SlowDown'],
  's3.slow-down': [503, 'SlowDown'],
}

/** How an error is answered: 503 where it is worth trying again, 500 where it is ours. */
export function answerOf(error: unknown): { status: number; code: string; message: string } {
  if (!(error instanceof PelagoError))
    return { status: 500, code: 'InternalError', message: 'Pelago failed; its log says why.' }
  const known = answers[error.code]
  if (known) return { status: known[0], code: known[1], message: error.message }
  const again = error.retryable || error.kind === 'unavailable' || error.kind === 'exhausted'
  return { status: again ? 503 : 500, code: again ? 'ServiceUnavailable' : 'InternalError', message: error.message }
}
