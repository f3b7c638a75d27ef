import type { AdmissionLimits } from '#s3'

/** Every bound of the S3 edge: what holds without a word in the configuration, and why. Times in milliseconds. */
export const s3Limits = {
  connections: [4000, 'Each takes a descriptor and some 30 KiB; the system gives a process 1024 to 65536 descriptors.'],
  connectionsPerAddress: [
    1500,
    'One machine cannot take all of them. Connections of proxies in `trustedProxies` are not counted.',
  ],
  requests: [1500, 'What is under way holds memory; more at once are not served sooner by waiting.'],
  requestsPerKey: [1000, 'Less than all, so that a key that floods the gateway leaves room for the others.'],
  ratePerKey: [100_000, 'Requests per second. More than one process can do: it bites when you set it lower.'],
  burstPerKey: [100_000, 'Requests that a key may send at once before its rate is looked at.'],
  headBytes: [16 * 1024, 'S3 allows 2 KiB of metadata and 1 KiB of key; signatures and tokens take some more.'],
  headers: [100, 'The busiest clients send about 40.'],
  headMs: [20_000, 'A head comes in one packet or a few; who drips it holds a connection.'],
  silentMs: [60_000, 'Nothing at all moves for so long in the middle of a request.'],
  restMs: [65_000, 'A connection may rest so long between two requests; longer than load balancers keep theirs.'],
  slowBytesPerSecond: [1024, 'Slower than any line in use; whoever drips a body holds the memory of a segment.'],
  slowMs: [30_000, 'So long it may be slower: lines have bad moments.'],
  requestMs: [12 * 60 * 60 * 1000, 'The largest part has 5 GiB, which takes 12 hours at 1 Mbit/s.'],
} as const satisfies Record<string, readonly [number, string]>

export type S3Limits = Record<keyof typeof s3Limits, number>

/** What holds, given what the configuration says. @throws RangeError when one key could take everything */
export function s3LimitsOf(stated: Partial<S3Limits> = {}): S3Limits {
  const usual = Object.fromEntries(Object.entries(s3Limits).map(([name, [value]]) => [name, value])) as S3Limits
  const limits = { ...usual, ...stated }
  if (limits.requestsPerKey > limits.requests) throw new RangeError('requestsPerKey must not be more than requests')
  return limits
}

export function admissionOf({ requests, requestsPerKey, ratePerKey, burstPerKey }: S3Limits): AdmissionLimits {
  return { requests, requestsPerKey, ratePerKey, burstPerKey }
}
