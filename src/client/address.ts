import { clientError } from './errors.ts'

/**
 * Reads `s3://bucket/key`; the key is empty for a whole bucket.
 * @throws address.invalid
 */
export function parseAddress(address: string): { bucket: string; key: string } {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(address)
  if (!match) throw clientError('address.invalid', { address })
  return { bucket: match[1] as string, key: match[2] ?? '' }
}
