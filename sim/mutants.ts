/** A bug planted on purpose: a text of one product file that is replaced. The simulator must notice it. */
export type Mutant = { name: string; file: string; from: string; to: string }

const storage = (file: string) => `src/storage/${file}`

export const mutants: Mutant[] = [
  {
    name: 'a shard file is not synced',
    file: storage('node/grouped-sync.ts'),
    from: 'await file.sync()',
    to: 'await undefined',
  },
  {
    name: 'the directory entry of a shard is not synced',
    file: storage('node/create-shard.ts'),
    from: 'node.sync.directory(shardFolder(name)), file',
    to: 'file',
  },
  {
    name: 'a shard counts as durable before the provider says so',
    file: storage('write/shard-upload.ts'),
    from: 'await end()',
    to: 'void end()',
  },
  {
    name: 'a segment is committed with shards that failed',
    file: storage('write/write-segment.ts'),
    from: 'while (noteFailures(uploads, failed)) {',
    to: 'while (noteFailures(uploads, failed) && failed.size > 99) {',
  },
  {
    name: 'less than the promise is accepted without being asked for',
    file: storage('write/choose.ts'),
    from: 'for (const accepted of promises(policy))',
    to: "for (const accepted of promises({ ...policy, whenShort: 'accept-with-warning' }))",
  },
  {
    name: 'cells are believed without looking at their tag',
    file: storage('read/fetch-rows.ts'),
    from: 'if (!tags.verify(',
    to: 'if (row < 0 && !tags.verify(',
  },
  {
    name: 'parity cells carry no tag',
    file: storage('write/encode-row.ts'),
    from: 'cells.forEach((cell, shard) => {',
    to: 'data.forEach((cell, shard) => {',
  },
  {
    name: 'parity is computed over too few bytes',
    file: storage('write/encode-row.ts'),
    from: 'coder.encode(data, parity, codedBytes(shape, row))',
    to: 'coder.encode(data, parity, codedBytes(shape, row) - 4096)',
  },
  {
    name: 'a writer that slept commits',
    file: storage('write/commit-body.ts'),
    from: "if (!open) throw storageError('commit.lost')",
    to: 'void open',
  },
  {
    name: 'shards that were planned but not used are forgotten',
    file: storage('index/intents.store.ts'),
    from: 'if (!used.has(shard.name as string))',
    to: 'if (used.size < 0)',
  },
  {
    name: 'shards in use are taken for strays',
    file: storage('index/intents.store.ts'),
    from: 'if (!used.has(shard.name as string))',
    to: 'if (used.has(shard.name as string))',
  },
  {
    name: 'garbage is dropped from the index without telling the providers',
    file: storage('repair/sweep.ts'),
    from: 'yield* insertStray(segment.holders[shard] as string, name, now)',
    to: 'void [segment.holders[shard], name]',
  },
  {
    name: 'a removal that failed counts as done',
    file: storage('repair/sweep.ts'),
    from: 'else later.push(stray)',
    to: 'else gone.push(stray)',
  },
  {
    name: 'a replaced version is garbage at once',
    file: storage('index/objects.store.ts'),
    from: 'if (current) yield* buryVersion(current, garbageNotBefore)',
    to: 'if (current) yield* buryVersion(current, 0)',
  },
  {
    name: 'the condition of a write is not decided in the commit',
    file: storage('objects/put-object.ts'),
    from: 'checkCondition(current, condition, bucket.name, key)\n      yield* putObjectRow',
    to: 'yield* putObjectRow',
  },
  {
    name: 'a commit whose answer was lost is taken for failed',
    file: storage('write/commit-body.ts'),
    from: "if (open === true) throw storageError('commit.lost', {}, error)",
    to: "if (open !== undefined) throw storageError('commit.lost', {}, error)",
  },
  {
    name: 'a commit that did not happen is taken for done',
    file: storage('write/commit-body.ts'),
    from: "if (open === true) throw storageError('commit.lost', {}, error)",
    to: 'if (open === true) return { version: written.body } as never',
  },
  {
    name: 'what repair moved away is left lying',
    file: storage('repair/replace-committed.ts'),
    from: 'if (kept.has(name)) continue',
    to: 'if (name) continue',
  },
  {
    name: 'segments are never widened again',
    file: storage('repair/assess.ts'),
    from: 'wider.k > k',
    to: 'wider.k > 99',
  },
  {
    name: 'a provider that stays dark is waited for for ever',
    file: storage('repair/assess.ts'),
    from: 'return margin === 0 || ground.clock.now()',
    to: 'return margin < 0 && ground.clock.now()',
  },
  {
    name: 'what the policy no longer allows is left where it is',
    file: storage('repair/assess.ts'),
    from: 'else if (!eligible.has(provider))',
    to: 'else if (eligible.has(`${provider}!`))',
  },
  {
    name: 'lost shards are not made again',
    file: storage('repair/assess.ts'),
    from: 'else if (lost.has(shard)) reasons.set',
    to: 'else if (lost.has(-1)) reasons.set',
  },
  {
    name: 'a reader asks no other shard when one fails',
    file: storage('read/race-shards.ts'),
    from: 'return Math.max(0, need - got.size - steady)',
    to: 'return 0 * (got.size + steady)',
  },
  {
    name: 'nobody else is asked when one is late',
    file: storage('read/race-shards.ts'),
    from: 'if (more === 0 || overdue || hedges.spend(more)) advance()',
    to: 'if (more === 0) advance()',
  },
  {
    name: 'a slow provider is asked like any other',
    file: storage('read/race-order.ts'),
    from: 'const slow = (shard: number) => (usualOf(shard) ?? 0) > bound',
    to: 'const slow = (shard: number) => (usualOf(shard) ?? 0) + bound < 0',
  },
  {
    name: 'a provider that was slow once is spared for ever',
    file: storage('read/pace.ts'),
    from: 'if (!track || clock.now() - track.askedAt < retryMs) return false',
    to: 'if (track || retryMs > 0) return false',
  },
  {
    name: 'memory of a write is never given back',
    file: storage('write/write-body.ts'),
    from: 'segment.finally(() => ground.writeMemory.give(size))',
    to: 'segment.finally(() => ground.writeMemory.used())',
  },
  {
    name: 'a listing repeats the key it went on from',
    file: storage('objects/list-objects.ts'),
    from: 'inclusive = rolled !== undefined',
    to: 'inclusive = true',
  },
  {
    name: 'deleting an object forgets its bytes',
    file: storage('index/objects.store.ts'),
    from: 'AND key = ${utf8(object.key)}`\n  yield* buryVersion(object, garbageNotBefore)',
    to: 'AND key = ${utf8(object.key)}`\n  void garbageNotBefore',
  },
  {
    name: 'a part that was sent again forgets its first bytes',
    file: storage('index/uploads.store.ts'),
    from: 'if (earlier) yield* buryBody(',
    to: 'if (earlier && part.number < 0) yield* buryBody(',
  },
  {
    name: 'the end of a chunk that crosses two segments is lost',
    file: storage('write/plain.ts'),
    from: 'if (taken < chunk.length) rest = chunk.subarray(taken)',
    to: 'if (taken < 0) rest = chunk.subarray(taken)',
  },
  {
    name: 'a provider sees plaintext',
    file: storage('seal/segment-seal.ts'),
    from: 'cell.set(sealed, 0)',
    to: 'cell.set(plaintext, 0)',
  },
]
