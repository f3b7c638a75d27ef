import { Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { type Clock, PelagoError, type Random, release } from '#kernel'
import type { Provider } from '#pool'
import {
  bodyTagBytes,
  openBodyTag,
  requestMs,
  type ShardStore,
  type ShardStoreStatus,
  type ShardWriter,
  signedHeaders,
  signShardRequest,
  storageError,
} from '#storage'

type Ports = { clock: Clock; random: Random }
type Keys = { gateway: string; shared: Uint8Array }

const socketsMost = 64
/** A socket that carries nothing for this long is given up. */
const silentMs = 30_000
const idleMs = 30_000
const longestAnswer = 4 * 1024 * 1024

/** Speaks the shard protocol to one provider. */
export function openShardStore(ports: Ports, provider: Provider, keys: Keys): ShardStore & { close(): void } {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: socketsMost,
    timeout: idleMs,
    scheduling: 'lifo',
  })
  const { hostname, port } = new URL(provider.endpoint)

  const open = (method: string, target: string, length: number, signal: AbortSignal) => {
    const nonce = Buffer.from(ports.random.bytes(16)).toString('hex')
    const expires = ports.clock.now() + requestMs
    const signature = signShardRequest(keys.shared, { method, target, length, expires, nonce, gateway: keys.gateway })
    const request = httpRequest({
      agent,
      hostname,
      port,
      method,
      path: target,
      signal,
      timeout: silentMs,
      headers: {
        'content-length': length,
        [signedHeaders.gateway]: keys.gateway,
        [signedHeaders.expires]: expires,
        [signedHeaders.nonce]: nonce,
        [signedHeaders.signature]: signature,
      },
    })
    request.on('timeout', () => request.destroy(new Error('it was silent for too long')))
    return { request, nonce }
  }
  const ask = async (method: string, target: string, signal: AbortSignal): Promise<IncomingMessage> => {
    const { request } = open(method, target, 0, signal)
    request.end()
    const response = await answerOf(provider.id, request, signal, false)
    if (response.statusCode !== 200) throw await refusalOf(provider.id, response)
    return response
  }
  const askJson = async <T>(target: string, signal: AbortSignal): Promise<T> =>
    JSON.parse((await gather(provider.id, await ask('GET', target, signal), signal)).toString()) as T

  return {
    create: (name, length, signal) => {
      const { request, nonce } = open('PUT', `/v1/shards/${name}`, length + bodyTagBytes, signal)
      return openWriter(provider.id, request, openBodyTag(keys.shared, nonce), signal)
    },
    async read(name, offset, length, signal) {
      const response = await ask('GET', `/v1/shards/${name}?offset=${offset}&length=${length}`, signal)
      return exactly(provider.id, response, length, signal)
    },
    async trash(name, signal) {
      const response = await ask('DELETE', `/v1/shards/${name}`, signal)
      response.resume()
    },
    list: (after, limit, signal) => askJson<string[]>(`/v1/shards?after=${after}&limit=${limit}`, signal),
    status: (signal) => askJson<ShardStoreStatus>('/v1/status', signal),
    close: () => agent.destroy(),
  }
}

function openWriter(
  provider: string,
  request: ClientRequest,
  tag: ReturnType<typeof openBodyTag>,
  signal: AbortSignal,
): ShardWriter {
  const answered = answerOf(provider, request, signal, true)
  let refused: Promise<never> | undefined
  let failed = false
  // The provider may refuse before it has everything; then what is still being sent must not wait.
  const early = new Promise<never>((_, reject) => {
    answered.then(
      (response) => {
        if (response.statusCode === 201) return
        refused = refusalOf(provider, response).then((error) => {
          failed = true
          reject(error)
          throw error
        })
        refused.catch(() => 'it is thrown by whoever waits for the answer')
      },
      (error: unknown) => {
        failed = true
        reject(error)
      },
    )
  })
  early.catch(() => 'it is thrown by whoever waits for the answer')
  return {
    write(bytes) {
      if (failed) return early
      tag.update(bytes)
      const sent = new Promise<void>((resolve) => {
        // An error comes by the answer, which knows more about it.
        request.write(bytes, (error) => {
          if (!error) resolve()
        })
      })
      return Promise.race([sent, early])
    },
    async finish() {
      if (failed) return early
      request.end(tag.digest())
      const response = await answered
      if (refused) return refused
      response.resume()
    },
    abort: () => void request.destroy(),
  }
}

/**
 * The head of the answer.
 * @param written whether bytes of a shard may have been stored already when it fails
 */
function answerOf(
  provider: string,
  request: ClientRequest,
  signal: AbortSignal,
  written: boolean,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve)
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (signal.aborted) return reject(signal.reason instanceof Error ? signal.reason : error)
      const reason = error.code === 'ECONNREFUSED' ? 'nothing listens there' : error.message
      const sent = written && request.socket?.bytesWritten !== 0 && error.code !== 'ECONNREFUSED'
      reject(storageError(sent ? 'shard.uncertain' : 'shard.unreachable', { provider, reason }, error))
    })
  })
}

async function exactly(
  provider: string,
  response: IncomingMessage,
  length: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(length)
  let got = 0
  await consume(provider, response, signal, (chunk) => {
    if (got + chunk.length <= length) chunk.copy(bytes, got)
    got += chunk.length
    release(chunk)
  })
  if (got !== length) throw storageError('shard.corrupt', { provider })
  return bytes
}

async function gather(provider: string, response: IncomingMessage, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  await consume(provider, response, signal, (chunk) => {
    size += chunk.length
    if (size <= longestAnswer) chunks.push(chunk)
  })
  if (size > longestAnswer) throw storageError('shard.unreachable', { provider, reason: 'its answer is too long' })
  return Buffer.concat(chunks)
}

/** By events: an iterator would cost a turn of the loop for each chunk. */
function consume(
  provider: string,
  response: IncomingMessage,
  signal: AbortSignal,
  take: (chunk: Buffer) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    response.on('data', take)
    response.once('end', resolve)
    const broken = (error?: Error) => {
      if (response.complete) return
      if (signal.aborted && signal.reason instanceof Error) return reject(signal.reason)
      reject(storageError('shard.unreachable', { provider, reason: error?.message ?? 'it broke off' }, error))
    }
    response.once('error', broken)
    response.once('close', () => broken())
  })
}

async function refusalOf(provider: string, response: IncomingMessage): Promise<PelagoError> {
  const never = new AbortController().signal
  const text = (await gather(provider, response, never)).toString()
  let said: { code?: string; message?: string } = {}
  try {
    said = JSON.parse(text) as typeof said
  } catch {
    return storageError('shard.unreachable', {
      provider,
      reason: `it answers ${response.statusCode} in another language`,
    })
  }
  switch (response.statusCode) {
    case 404:
      return storageError('shard.missing', { provider })
    case 409:
      return storageError('shard.exists', { provider })
    case 416:
      return storageError('shard.corrupt', { provider })
    case 507:
      return storageError('shard.full', { provider })
    case 403:
    case 400:
      return storageError('shard.denied', { provider, reason: said.message ?? 'it does not say why' })
    default:
      return storageError('shard.unreachable', {
        provider,
        reason: said.message ?? `it answers ${response.statusCode}`,
      })
  }
}
