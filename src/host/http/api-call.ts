import { type Agent, request as plainRequest } from 'node:http'
import { hostError } from '../errors.ts'

export type ApiCallInput = {
  /** Of the server, without a path. */
  url: string
  method: string
  /** Path and query. */
  path: string
  headers: Readonly<Record<string, string>>
  body?: string | undefined
  signal?: AbortSignal | undefined
  /** How connections are made, where that is not plain. It speaks TLS itself, if anything does. */
  agent?: Agent | undefined
}
export type ApiCallAnswer = { status: number; headers: Record<string, string>; body: string }

const answerMost = 16 * 1024 * 1024

/**
 * Carries one request to a server of the API, over HTTP/1.1.
 * @param limitMs from the beginning to the last byte of the answer
 * @throws connect.refused, connect.slow, tls.…, or the reason of the signal
 */
export function callApi(input: ApiCallInput, limitMs: number): Promise<ApiCallAnswer> {
  const { url, method, path, body, agent } = input
  const { hostname, port, host, protocol } = new URL(url)
  const limit = AbortSignal.timeout(limitMs)
  const signal = input.signal ? AbortSignal.any([input.signal, limit]) : limit
  const headers = {
    ...input.headers,
    host,
    ...(body !== undefined && {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    }),
  }
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      if (limit.aborted) reject(hostError('connect.slow', { url, seconds: limitMs / 1000 }, error))
      else if (input.signal?.aborted) reject(error)
      // Why a certificate is not believed is said in its own words.
      else if ('kind' in error) reject(error)
      else reject(hostError('connect.refused', { url }, error))
    }
    const request = plainRequest(
      {
        ...{ hostname: hostname.replace(/^\[|\]$/g, ''), port: port || (protocol === 'https:' ? 443 : 80) },
        ...{ method, path, headers, signal },
        ...(agent && { agent }),
      },
      (response) => {
        const chunks: Buffer[] = []
        let size = 0
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > answerMost) request.destroy(new Error(`its answer has more than ${answerMost} bytes`))
          else chunks.push(chunk)
        })
        response.on('error', fail)
        response.on('end', () => {
          const found: Record<string, string> = {}
          for (const [name, value] of Object.entries(response.headers))
            if (value !== undefined) found[name] = Array.isArray(value) ? value.join(', ') : value
          resolve({ status: response.statusCode ?? 0, headers: found, body: Buffer.concat(chunks).toString() })
        })
      },
    )
    request.on('error', fail)
    request.end(body)
  })
}
