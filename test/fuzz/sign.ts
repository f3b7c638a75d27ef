import { createHash, createHmac } from 'node:crypto'

export type Signing = {
  method: string
  /** As it stands in the request line. */
  path: string
  query: readonly (readonly [name: string, value: string])[]
  headers: Record<string, string>
  /** Hex SHA-256 of the body, or one of the words for it. */
  payload: string
  at: number
}
export type Key = { id: string; secret: string; region: string; service: 's3' | 'sts' }

/** Source: AWS Signature Version 4, "Create a signed AWS API request". @returns what goes into `authorization` */
export function authorizationOf({ method, path, query, headers, payload, at }: Signing, key: Key): string {
  const time = timeOf(at)
  const names = Object.keys(headers).sort()
  const pairs = query.map(([name, value]) => [encode(name), encode(value)] as const).sort(compare)
  const canonical = [
    ...[method, path, pairs.map((pair) => pair.join('=')).join('&')],
    ...names.map((name) => `${name}:${headers[name]?.trim().replaceAll(/ +/g, ' ')}`),
    ...['', names.join(';'), payload],
  ].join('\n')
  const scope = `${time.slice(0, 8)}/${key.region}/${key.service}/aws4_request`
  const text = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n')
  const signing = scope
    .split('/')
    .reduce((last, word) => createHmac('sha256', last).update(word).digest(), Buffer.from(`AWS4${key.secret}`))
  const signature = createHmac('sha256', signing).update(text).digest('hex')
  return `AWS4-HMAC-SHA256 Credential=${key.id}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
}

export const timeOf = (at: number) => new Date(at).toISOString().replaceAll(/[-:]|\.\d{3}/g, '')

export const encode = (text: string) =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)

const compare = (a: readonly [string, string], b: readonly [string, string]) =>
  Buffer.compare(Buffer.from(a.join('\0')), Buffer.from(b.join('\0')))
