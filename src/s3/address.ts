import { utf8 } from '#kernel'
import { s3Error } from './errors.ts'

/** What a request is about. An empty bucket is the service itself, an empty key the bucket. */
export type Address = { bucket: string; key: string; path: string; query: [string, string][] }

const longestKey = 1024

/**
 * Reads bucket and key out of a request, in path style or with the bucket in the host name.
 * @throws s3.uri, s3.key-long
 */
export function addressOf(target: string, host: string, hostnames: readonly string[]): Address {
  const mark = target.indexOf('?')
  const path = decoded(mark === -1 ? target : target.slice(0, mark))
  const query = mark === -1 ? none : queryOf(target.slice(mark + 1))
  const name = host.replace(port, '').toLowerCase()
  const within = hostnames.find((hostname) => name.endsWith(`.${hostname}`))
  const [bucket, key] = within ? [name.slice(0, -within.length - 1), path.slice(1)] : splitPath(path)
  // No sign takes more than three bytes for each of its units.
  if (key.length * 3 > longestKey && utf8(key).length > longestKey) throw s3Error('s3.key-long')
  return { bucket, key, path, query }
}

const none: [string, string][] = []
const port = /:\d+$/

function splitPath(path: string): [string, string] {
  const at = path.indexOf('/', 1)
  return at === -1 ? [path.slice(1), ''] : [path.slice(1, at), path.slice(at + 1)]
}

function queryOf(text: string): [string, string][] {
  if (text === '') return []
  return text.split('&').map((pair) => {
    const at = pair.indexOf('=')
    const [name, value] = at === -1 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
    return [decoded(name.replaceAll('+', ' ')), decoded(value.replaceAll('+', ' '))]
  })
}

function decoded(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch (error) {
    throw s3Error('s3.uri', {}, error)
  }
}

/** @throws s3.bucket-name */
export function checkBucketName(name: string): void {
  const wellFormed = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes('..')
  if (!wellFormed || /^\d+\.\d+\.\d+\.\d+$/.test(name)) throw s3Error('s3.bucket-name')
}
