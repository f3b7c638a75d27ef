import type { IncomingMessage } from 'node:http'
import { type PelagoError, release } from '#kernel'
import { type ShardStoreStatus, storageError } from '#storage'

/** Reads what a provider answers. Providers are strangers: nothing of it is believed before it was looked at. */

const longestAnswer = 4 * 1024 * 1024
const longestReason = 500

/** Fills `bytes` with the body of an answer that is exactly as long. @throws shard.unreachable, shard.corrupt */
export async function readExactly(
  provider: string,
  response: IncomingMessage,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { length } = bytes
  let got = 0
  await consume(provider, response, signal, (chunk) => {
    if (got + chunk.length > length) throw storageError('shard.corrupt', { provider })
    chunk.copy(bytes, got)
    got += chunk.length
    release(chunk)
  })
  if (got !== length) throw storageError('shard.corrupt', { provider })
  return bytes
}

export async function readJson(provider: string, response: IncomingMessage, signal: AbortSignal): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  await consume(provider, response, signal, (chunk) => {
    size += chunk.length
    if (size > longestAnswer) throw storageError('shard.unreachable', { provider, reason: 'its answer is too long' })
    chunks.push(chunk)
  })
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown
  } catch (error) {
    throw storageError('shard.unreachable', { provider, reason: 'its answer is not JSON' }, error)
  }
}

export function statusOf(provider: string, said: unknown): ShardStoreStatus {
  const count = (name: keyof ShardStoreStatus) => {
    const value = (said as Partial<Record<string, unknown>> | null)?.[name]
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
    throw storageError('shard.unreachable', { provider, reason: `its status lacks ${name}` })
  }
  return {
    usedBytes: count('usedBytes'),
    quotaBytes: count('quotaBytes'),
    shards: count('shards'),
    trashedShards: count('trashedShards'),
    syncs: count('syncs'),
  }
}

/** Names that ascend from `after` on; anything else could keep a reader of pages busy for ever. */
export function namesOf(provider: string, said: unknown, after: string): string[] {
  const names: string[] = []
  for (const name of Array.isArray(said) ? (said as unknown[]) : [undefined]) {
    const last = names[names.length - 1] ?? after
    if (typeof name !== 'string' || !/^[0-9a-f]{32}$/.test(name) || name <= last)
      throw storageError('shard.unreachable', { provider, reason: 'its list of shards is not one' })
    names.push(name)
  }
  return names
}

/**
 * Why a provider did not do it.
 * @param writing whether a shard was being stored: then a failure inside the provider leaves its outcome open
 */
export async function refusalOf(
  provider: string,
  response: IncomingMessage,
  signal: AbortSignal,
  writing = false,
): Promise<PelagoError> {
  switch (response.statusCode) {
    case 404:
      return discard(response, storageError('shard.missing', { provider }))
    case 409:
      return discard(response, storageError('shard.exists', { provider }))
    case 416:
      return discard(response, storageError('shard.corrupt', { provider }))
    case 507:
      return discard(response, storageError('shard.full', { provider }))
  }
  const said = await readJson(provider, response, signal).catch(() => undefined)
  const message = (said as { message?: unknown } | null | undefined)?.message
  const clear = typeof message === 'string'
  const reason = clear ? message.slice(0, longestReason) : `it answers ${response.statusCode} in another language`
  if (clear && (response.statusCode === 403 || response.statusCode === 400))
    return storageError('shard.denied', { provider, reason })
  return storageError(writing ? 'shard.uncertain' : 'shard.unreachable', { provider, reason })
}

function discard(response: IncomingMessage, error: PelagoError): PelagoError {
  response.resume()
  return error
}

/** By events: an iterator would cost a turn of the loop for each chunk. What `take` throws ends the connection. */
function consume(
  provider: string,
  response: IncomingMessage,
  signal: AbortSignal,
  take: (chunk: Buffer) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    // Who asked may use his memory for something else as soon as he is told.
    let over = false
    response.on('data', (chunk: Buffer) => {
      if (over) return
      try {
        take(chunk)
      } catch (error) {
        over = true
        response.destroy()
        reject(error)
      }
    })
    response.once('end', resolve)
    const broken = (error?: Error) => {
      if (response.complete) return
      over = true
      if (signal.aborted && signal.reason instanceof Error) return reject(signal.reason)
      reject(storageError('shard.unreachable', { provider, reason: error?.message ?? 'it broke off' }, error))
    }
    response.once('error', broken)
    response.once('close', () => broken())
    if (response.destroyed) broken()
  })
}
