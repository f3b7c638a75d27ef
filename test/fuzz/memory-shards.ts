import { type ShardStore, storageError } from '#storage'

/** Shards of one provider that forgets them when the process ends; the oldest first, when there are many. */
export function openMemoryShards(provider: string): ShardStore {
  const shards = new Map<string, Buffer>()
  const most = 2000
  return {
    create(name, length) {
      const pieces: Uint8Array[] = []
      return {
        async write(bytes) {
          pieces.push(bytes.slice())
        },
        async finish() {
          const whole = Buffer.concat(pieces)
          if (shards.has(name)) throw storageError('shard.exists', { provider, name })
          if (whole.length !== length)
            throw storageError('shard.denied', { provider, reason: 'its length is not the one that was stated' })
          const [oldest] = shards.keys()
          if (shards.size >= most && oldest !== undefined) shards.delete(oldest)
          shards.set(name, whole)
        },
        abort() {
          pieces.length = 0
        },
      }
    },
    async read(name, offset, length, _, into) {
      const found = shards.get(name)
      if (!found) throw storageError('shard.missing', { provider, name })
      const bytes = into?.subarray(0, length) ?? Buffer.alloc(length)
      bytes.set(found.subarray(offset, offset + length))
      return bytes
    },
    async trash(name) {
      shards.delete(name)
    },
    list: async (after, limit) =>
      [...shards.keys()]
        .filter((name) => name > after)
        .sort((a, b) => (a < b ? -1 : 1))
        .slice(0, limit),
    status: async () => ({ usedBytes: 0, quotaBytes: 1e12, shards: shards.size, trashedShards: 0, syncs: 0 }),
  }
}
