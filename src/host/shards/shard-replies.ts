import type { IncomingMessage } from 'node:http'
import type { PelagoError } from '#kernel'
import { type ShardStoreStatus, storageError } from '#storage'

/** Reads what a provider answers. Providers are strangers: nothing of it is believed before it was looked at. */

const longestAnswer = 4 * 1024 * 1024
const longestReason = 500

export async function readJson(provider: string, response: IncomingMessage, signal: AbortSignal): Promise<unknown> {
  const said = await readText(provider, response, signal)
  try {
    return JSON.parse(said) as unknown
  } catch (error) {
    throw storageError('shard.unreachable', { provider, reason: 'its answer is not JSON' }, error)
  }
}

async function readText(provider: string, response: IncomingMessage, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  await consume(provider, response, signal, (chunk) => {
    size += chunk.length
    if (size > longestAnswer) throw storageError('shard.unreachable', { provider, reason: 'its answer is too long' })
    chunks.push(chunk)
  })
  return Buffer.concat(chunks).toString()
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
 * @param said the body of its answer
 * @param writing whether a shard was being stored: then a failure inside the provider leaves its outcome open
 */
export function refusal(provider: string, status: number, said: string, writing = false): PelagoError {
  switch (status) {
    case 404:
      return storageError('shard.missing', { provider })
    case 409:
      return storageError('shard.exists', { provider })
    case 416:
      return storageError('shard.corrupt', { provider })
    case 507:
      return storageError('shard.full', { provider })
  }
  const message = messageOf(said)
  const reason = message?.slice(0, longestReason) ?? `it answers ${status} in another language`
  if (message !== undefined && (status === 403 || status === 400))
    return storageError('shard.denied', { provider, reason })
  return storageError(writing ? 'shard.uncertain' : 'shard.unreachable', { provider, reason })
}

function messageOf(said: string): string | undefined {
  try {
    const { message } = JSON.parse(said) as { message?: unknown }
    return typeof message === 'string' ? message : undefined
  } catch {
    return undefined
  }
}

/** The same, of an answer whose body is still to be read. */
export async function refusalOf(
  provider: string,
  response: IncomingMessage,
  signal: AbortSignal,
): Promise<PelagoError> {
  const said = await readText(provider, response, signal).catch(() => '')
  return refusal(provider, response.statusCode ?? 0, said)
}

/** By events: an iterator would cost a turn of the loop for each chunk. What `take` throws ends the connection. */
function consume(
  provider: string,
  response: IncomingMessage,
  signal: AbortSignal,
  take: (chunk: Buffer) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    response.on('data', (chunk: Buffer) => {
      try {
        take(chunk)
      } catch (error) {
        response.destroy()
        reject(error)
      }
    })
    response.once('end', resolve)
    const broken = (error?: Error) => {
      if (response.complete) return
      if (signal.aborted && signal.reason instanceof Error) return reject(signal.reason)
      reject(storageError('shard.unreachable', { provider, reason: error?.message ?? 'it broke off' }, error))
    }
    response.once('error', broken)
    response.once('close', () => broken())
    if (response.destroyed) broken()
  })
}
