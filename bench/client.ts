import { createHash, randomBytes } from 'node:crypto'
import { Agent, request } from 'node:http'
import { encodePath, signRequest } from '../src/client/sign-request.ts'

export type Target = { name: string; endpoint: string; key?: { id: string; secret: string }; region: string }

/** A cheap client, the same for every target: keep-alive sockets, signatures that leave the payload out. */
export type BenchClient = {
  createBucket(): Promise<void>
  put(key: string, body: Uint8Array): Promise<void>
  /** @returns how many bytes came; with `check`, the MD5 of them */
  get(key: string, check: boolean): Promise<{ bytes: number; md5?: string }>
  close(): void
}

const bucket = 'bench'

export function openBenchClient({ endpoint, key, region }: Target): BenchClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const ask = (
    method: string,
    path: string,
    body: Uint8Array | undefined,
    take: (chunk: Buffer) => void,
  ): Promise<void> =>
    new Promise((resolve, reject) => {
      const url = new URL(path, endpoint)
      const plain = { 'content-length': String(body?.length ?? 0) }
      const headers = key
        ? signRequest({ method, url, headers: plain }, key, region, 'UNSIGNED-PAYLOAD', Date.now())
        : plain
      const call = request(url, { agent, method, headers }, (response) => {
        const good = (response.statusCode ?? 500) < 300
        let said = ''
        response.on('data', (chunk: Buffer) => {
          if (good) take(chunk)
          else said += chunk.toString()
        })
        response.on('end', () =>
          good ? resolve() : reject(new Error(`${method} ${path}: ${response.statusCode} ${said}`)),
        )
        response.on('error', reject)
      })
      call.on('error', reject)
      call.end(body)
    })
  return {
    createBucket: () => ask('PUT', `/${bucket}`, undefined, () => {}),
    put: (name, body) => ask('PUT', `/${bucket}/${encodePath(name)}`, body, () => {}),
    async get(name, check) {
      let bytes = 0
      const md5 = check ? createHash('md5') : undefined
      await ask('GET', `/${bucket}/${encodePath(name)}`, undefined, (chunk) => {
        bytes += chunk.length
        md5?.update(chunk)
      })
      return { bytes, ...(md5 && { md5: md5.digest('hex') }) }
    },
    close: () => agent.destroy(),
  }
}

/** Bytes that do not compress. */
export const fresh = (size: number) => randomBytes(size)
