import { openBodyTag, bodyTagBytes, type ShardWriter, storageError } from '#storage'
import { refusalOf } from './shard-replies.ts'
import type { ShardRequests } from './shard-request.ts'

type Shard = { provider: string; name: string; length: number }

/** Sends one shard by one PUT, as its bytes come, and behind them the tag that binds them to the request. */
export function openShardWriter(
  requests: ShardRequests,
  { provider, name, length }: Shard,
  keys: { shared: Uint8Array },
  signal: AbortSignal,
): ShardWriter {
  const { request, nonce, answered } = requests('PUT', `/v1/shards/${name}`, length + bodyTagBytes, signal)
  const tag = openBodyTag(keys.shared, nonce)
  let ended = false
  let written = 0
  const outcome = answered.then(async (response) => {
    if (response.statusCode !== 201) throw await refusalOf(provider, response, signal, true)
    response.resume()
    if (!ended) throw storageError('shard.uncertain', { provider, reason: 'it answered before it had everything' })
  })
  // The provider may refuse before it has everything; then what is still being sent does not wait.
  const failed = outcome.then(() => new Promise<never>(() => {}))
  failed.catch(() => {
    if (!ended) request.destroy()
  })
  return {
    async write(bytes) {
      if (ended || written + bytes.length > length) {
        request.destroy()
        throw storageError('body.long', { size: length })
      }
      written += bytes.length
      tag.update(bytes)
      const sent = new Promise<void>((resolve) => {
        // An error comes with the outcome, which knows more about it.
        request.write(bytes, (error) => {
          if (!error) resolve()
        })
      })
      await Promise.race([sent, failed])
    },
    async finish() {
      if (written !== length) {
        request.destroy()
        throw storageError('body.short', { got: written, size: length })
      }
      ended = true
      request.end(tag.digest())
      await outcome
    },
    abort: () => void request.destroy(),
  }
}
