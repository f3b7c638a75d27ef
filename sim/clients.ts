import { createHash } from 'node:crypto'
import { hasCode, PelagoError } from '#kernel'
import type { Body, ObjectStorage } from '#storage'
import { checkAcknowledged } from './checks.ts'
import { bytesOf, chunksOf, type Content } from './content.ts'
import { ask, bucket, newCall, type Life } from './life.ts'

const opsPerClient = 5

/** Errors after which nothing has happened, and which faults explain. */
const refusals = [
  'pool.short',
  'pool.full',
  'write.troubled',
  'memory.full',
  'quota.exceeded',
  'commit.lost',
  'object.conflict',
  'object.precondition',
  'key.retired',
  'key.unavailable',
  'database.busy',
]

/** @returns whether nobody knows if the write was done. @throws when the error is not one that faults explain */
function uncertain(outcome: { error: unknown } | 'died'): boolean {
  if (outcome === 'died' || hasCode(outcome.error, 'commit.uncertain', 'database.uncertain')) return true
  if (hasCode(outcome.error, ...refusals)) return false
  throw outcome.error
}

/** One client: a few operations one after the other, each held against what the model allows. */
export async function runClient(life: Life, client: number): Promise<void> {
  const { world } = life
  for (let op = 0; op < opsPerClient; op++) {
    await new Promise<void>((resolve) => void world.clock.after(world.dice(500), resolve))
    const key = `c${client}/k${world.dice(3)}${world.chance(0.3) ? '/sub' : ''}`
    const kind = world.dice(12)
    if (kind < 4) await putOne(life, key)
    else if (kind < 6) await readOne(life, key)
    else if (kind === 6) await readRange(life, key)
    else if (kind === 7) await deleteOne(life, key)
    else if (kind === 8) await uploadOne(life, key)
    else if (kind === 9) await race(life, `race${client}-${op}-${life.nextId}`)
    else if (kind === 10) await putOne(life, key, life.archipelago.limits.intentMs * (world.chance(0.5) ? 2 : 0.3))
    else await readWhileReplaced(life, key)
  }
}

function freshContent(life: Life): Content {
  const { world } = life
  const sizes = [0, 1, 100, 4096, 16_385, 60_000, 300_000]
  const size = life.wide && world.chance(0.5) ? 2_500_000 : world.dice((sizes[world.dice(sizes.length)] as number) + 1)
  return { id: life.nextId++, size }
}

function bodyOf(life: Life, content: Content, sleepMs = 0): Body {
  const bytes = bytesOf(content)
  const right = createHash('md5').update(bytes).digest('hex')
  async function* lateEnd(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
    yield* chunks
    if (sleepMs > 0) await new Promise<void>((resolve) => void life.world.clock.after(sleepMs, resolve))
  }
  return {
    size: content.size,
    chunks: lateEnd(chunksOf(bytes, 1 + life.world.dice(100_000))),
    finish(md5) {
      if (Buffer.from(md5 ?? []).toString('hex') !== right) throw new Error('the body arrived changed')
      return undefined
    },
  }
}

/** @param sleepMs how long the sender waits between its last byte and the end: a writer that slept must not commit */
async function putOne(life: Life, key: string, sleepMs = 0): Promise<void> {
  const { world, model, archipelago } = life
  const content = freshContent(life)
  const gateway = archipelago.gateway()
  const outcome = await ask(gateway, (objects) =>
    objects.putObject(newCall(), {
      bucket,
      key,
      headers: {},
      condition: {},
      body: bodyOf(life, content, sleepMs),
    }),
  )
  world.note(`put ${key} ${content.id}: ${saying(outcome)}`)
  if (outcome !== 'died' && 'value' in outcome) {
    model.set(key, content)
    checkAcknowledged(life, outcome.value.version)
  } else if (uncertain(outcome)) model.maybe(key, content)
}

/** Puts this content under a key, which nobody else writes. */
export async function putContent(life: Life, key: string, content: Content) {
  const body = bodyOf(life, content)
  const outcome = await ask(life.archipelago.gateway(), (objects) =>
    objects.putObject(newCall(), { bucket, key, headers: {}, condition: {}, body }),
  )
  if (outcome !== 'died' && 'value' in outcome) life.model.set(key, content)
  return outcome
}

async function deleteOne(life: Life, key: string): Promise<void> {
  const { model, archipelago } = life
  const gateway = archipelago.gateway()
  const outcome = await ask(gateway, (objects) => objects.deleteObject(newCall(), { bucket, key, condition: {} }))
  if (outcome !== 'died' && 'value' in outcome) model.set(key, undefined)
  else if (uncertain(outcome)) model.maybe(key, undefined)
}

async function uploadOne(life: Life, key: string): Promise<void> {
  const { world, model, archipelago } = life
  const gateway = archipelago.gateway()
  const call = newCall()
  const content = freshContent(life)
  const begun = await ask(gateway, (objects) => objects.createUpload(call, { bucket, key, headers: {} }))
  if (begun === 'died' || 'error' in begun) return void uncertain(begun)
  const upload = begun.value.id
  let etag = ''
  // A part may be sent again, with other bytes; the last one counts.
  for (const one of world.chance(0.3) ? [freshContent(life), content] : [content]) {
    const part = await ask(gateway, (objects) =>
      objects.putPart(call, { bucket, key, upload, number: 1, body: bodyOf(life, one) }),
    )
    if (part === 'died' || 'error' in part) return void uncertain(part)
    etag = part.value.etag
  }
  if (world.chance(0.3)) {
    const aborted = await ask(gateway, (objects) => objects.abortUpload(call, { bucket, key, upload }))
    if (aborted === 'died' || 'error' in aborted) uncertain(aborted)
    return
  }
  const input = { bucket, key, upload, parts: [{ number: 1, etag }], condition: {}, combine: () => undefined }
  const completed = await ask(gateway, (objects) => objects.completeUpload(call, input))
  world.note(`complete ${key} ${content.id}: ${saying(completed)}`)
  if (completed !== 'died' && 'value' in completed) model.set(key, content)
  else if (uncertain(completed)) model.maybe(key, content)
}

/** Several writers who each want to be the first: one at most is. */
async function race(life: Life, key: string): Promise<void> {
  const { model, archipelago } = life
  const gateway = archipelago.gateway()
  const contents = Array.from({ length: 4 }, () => ({ ...freshContent(life), size: 50 }))
  const outcomes = await Promise.all(
    contents.map((content) =>
      ask(gateway, (objects) =>
        objects.putObject(newCall(), {
          bucket,
          key,
          headers: {},
          condition: { ifNoneMatch: true },
          body: bodyOf(life, content),
        }),
      ),
    ),
  )
  const winners = contents.filter((_, at) => {
    const outcome = outcomes[at]
    return outcome !== undefined && outcome !== 'died' && 'value' in outcome
  })
  if (winners.length > 1) throw new Error(`${winners.length} writers were the first at ${key}`)
  if (winners.length === 1) return model.set(key, winners[0])
  outcomes.forEach((outcome, at) => {
    if ((outcome === 'died' || 'error' in outcome) && uncertain(outcome)) model.maybe(key, contents[at])
  })
}

/** Reads a key whole and holds it against everything that may be there. */
export async function readOne(life: Life, key: string): Promise<void> {
  const { model, archipelago } = life
  const gateway = archipelago.gateway()
  const outcome = await ask(gateway, (objects) => readWhole(objects, key))
  if (outcome === 'died') return
  if ('error' in outcome) {
    // What holds the root key may be away; nothing is known then.
    if (life.phase >= 0 && hasCode(outcome.error, 'key.unavailable')) return
    if (!hasCode(outcome.error, 'object.missing')) throw outcome.error
    if (!model.observe(key, undefined))
      throw new Error(`${key} is gone, but should hold ${JSON.stringify(model.possible(key))}`)
    return
  }
  const found = model.possible(key).find((content) => content && Buffer.compare(outcome.value, bytesOf(content)) === 0)
  if (!found)
    throw new Error(
      `${key} holds ${outcome.value.length} bytes that nobody wrote there; expected ${JSON.stringify(model.possible(key))}`,
    )
  model.observe(key, found)
}

async function readWhole(objects: ObjectStorage, key: string): Promise<Uint8Array> {
  const opened = await objects.openObject(newCall(), { bucket, key })
  if (opened.info.size === 0) return new Uint8Array(0)
  const chunks: Uint8Array[] = []
  for await (const chunk of opened.read(undefined)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Reads on while the object is replaced and its shards become garbage: a reader keeps the version that it began with. */
async function readWhileReplaced(life: Life, key: string): Promise<void> {
  const { world, model, archipelago } = life
  const gateway = archipelago.gateway()
  const before = model.possible(key)
  const outcome = await ask(gateway, async (objects) => {
    const opened = await objects.openObject(newCall(), { bucket, key })
    await putOne(life, key)
    await new Promise<void>((resolve) => void world.clock.after(archipelago.limits.readerGraceMs / 2, resolve))
    if (opened.info.size === 0) return new Uint8Array(0)
    const chunks: Uint8Array[] = []
    for await (const chunk of opened.read(undefined)) chunks.push(chunk)
    return Buffer.concat(chunks)
  })
  if (outcome === 'died') return
  if ('error' in outcome) {
    if (!hasCode(outcome.error, 'object.missing', 'key.unavailable')) throw outcome.error
    return
  }
  const fits = before.some((content) => content && Buffer.compare(outcome.value, bytesOf(content)) === 0)
  if (!fits) throw new Error(`a reader of ${key} got another version's bytes`)
}

async function readRange(life: Life, key: string): Promise<void> {
  const { world, model, archipelago } = life
  const gateway = archipelago.gateway()
  const [first, second] = [world.dice(1000) / 1000, world.dice(1000) / 1000]
  const outcome = await ask(gateway, async (objects) => {
    const opened = await objects.openObject(newCall(), { bucket, key })
    const { size } = opened.info
    if (size === 0) return undefined
    const range = {
      first: Math.floor(Math.min(first, second) * size),
      last: Math.floor(Math.max(first, second) * size),
    }
    const chunks: Uint8Array[] = []
    for await (const chunk of opened.read(range)) chunks.push(chunk)
    return { range, bytes: Buffer.concat(chunks), size }
  })
  if (outcome === 'died') return
  if ('error' in outcome) {
    if (!hasCode(outcome.error, 'object.missing', 'key.unavailable')) throw outcome.error
    return
  }
  const { value } = outcome
  if (!value) return
  const fits = model.possible(key).some((content) => {
    if (content?.size !== value.size) return false
    const whole = bytesOf(content)
    return Buffer.compare(whole.subarray(value.range.first, value.range.last + 1), value.bytes) === 0
  })
  if (!fits) throw new Error(`bytes ${value.range.first}-${value.range.last} of ${key} are not what was written`)
}

function saying(outcome: { value: unknown } | { error: unknown } | 'died'): string {
  if (outcome === 'died') return 'the gateway died'
  if ('value' in outcome) return 'done'
  return outcome.error instanceof PelagoError ? outcome.error.code : String(outcome.error)
}
