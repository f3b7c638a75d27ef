import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { once as happens } from 'node:events'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Authenticate, Principal } from '#access'
import {
  type ApiRole,
  apiRoles,
  createBucket,
  getBucket,
  mayAsk,
  operations,
  type Problem,
  setBucketPolicy,
  watchHealth,
} from '#api'
import { answerMigrations, once } from '#journal'
import { type Clock, type Database, PelagoError, type Role, sql } from '#kernel'
import { openClient } from '#client'
import { type ApiCall, type Handler, handles, openWatch, type StreamEvent, streams } from '#roles'
import { systemClock } from '../clock.ts'
import { openSqlite } from '../database/sqlite.ts'
import { openRandom } from '../random.ts'
import type { ApiLimits } from './api-limits.ts'
import { type ApiPorts, openApiServer } from './api-server.ts'

const closing: (() => unknown)[] = []
after(async () => {
  for (const close of closing.toReversed()) await close()
})

/** Who says his roles has them: what the edge makes of a principal is looked at, not how one is found. */
const stated: Authenticate = async ({ headers }) => {
  const roles = headers['x-roles']
  if (roles === undefined) return undefined
  if (roles === 'forged')
    throw new PelagoError('access.signature', { kind: 'denied', retryable: false, message: 'It is forged.' })
  const principal: Principal = {
    tenant: headers['x-tenant'] ?? 't',
    actor: 'a',
    roles: roles.split(',') as Role[],
    kind: headers['x-kind'] === 'local' ? 'local' : 'token',
  }
  return principal
}

type Asking = Omit<RequestInit, 'headers'> & { headers?: Record<string, string>; duplex?: 'half' }

async function open(handlers: readonly Handler[], limits: Partial<ApiLimits> = {}, more: Partial<ApiPorts> = {}) {
  const ports = { authenticate: stated, clock: systemClock, random: openRandom(), log: () => {} }
  const server = await openApiServer({ ...ports, handlers, ...more }, { host: '127.0.0.1', port: 0 }, limits)
  closing.push(() => server.close())
  const url = `http://127.0.0.1:${server.port}`
  return {
    ...server,
    url,
    ask: (path: string, init: Asking = {}, roles = 'owner') =>
      fetch(url + path, { ...init, headers: { 'x-roles': roles, ...init.headers } }),
  }
}

async function openAnswers(): Promise<Database> {
  const folder = await mkdtemp(join(tmpdir(), 'pelago-answers-'))
  const schemas = [
    { component: 'answers', migrations: answerMigrations },
    {
      component: 'things',
      migrations: [{ id: 1, name: 'things', statements: ['CREATE TABLE things (name {text} NOT NULL)'] }],
    },
  ]
  const database = await openSqlite({ file: join(folder, 'test.db'), schemas })
  closing.push(async () => {
    await database.close()
    await rm(folder, { recursive: true })
  })
  return database
}

const policy = {
  version: 1 as const,
  jurisdictions: ['EU'],
  attestations: [],
  ownersRefused: [],
  survive: { providers: 2, countries: 0 },
  greatestShare: 0.5,
  whenShort: 'refuse' as const,
}
const bucketOf = (name: string, revision = 1) => ({
  name,
  createdAt: 1,
  policy,
  policyEpoch: 1,
  etags: 'md5' as const,
  revision,
})
const problemIn = async (response: Response) => {
  assert.equal(response.headers.get('content-type'), 'application/problem+json')
  const problem = (await response.json()) as Problem
  assert.equal(problem.status, response.status)
  return problem
}

test('every role x every operation: the edge lets in whom the operation names, and nobody else', async () => {
  const reached: string[] = []
  const answers = await openAnswers()
  const all = Object.values(operations)
  const handlers = all.map((operation): Handler => {
    const reach = () => {
      reached.push(operation.id)
      throw new PelagoError('test.reached', { kind: 'unbuilt', retryable: false, message: 'It was let in.' })
    }
    return operation.stream ? { operation, events: reach } : { operation, answer: async () => reach() }
  })
  const { url } = await open(handlers, {}, { answers })
  const everyone: (ApiRole | 'nobody')[] = [...apiRoles.filter((role) => role !== 'anyone'), 'nobody']
  for (const operation of all) {
    const path = operation.path.replace(/\{\w+\}/g, 'sample')
    for (const role of everyone) {
      const headers: Record<string, string> = role === 'nobody' ? {} : { 'x-roles': role }
      const response = await fetch(url + path, { method: operation.method, headers })
      const named = mayAsk(operation, role === 'nobody' ? [] : [role])
      const may = named && operation.reach !== 'house'
      const want = may ? [400, 501] : [role === 'nobody' ? 401 : 403]
      const text = await response.text()
      assert.ok(
        want.includes(response.status) || (may && operation.stream && text.includes('test.reached')),
        `${role} asks ${operation.id}: ${response.status} ${text}`,
      )
      if (response.status !== 403) continue
      const { code, details } = JSON.parse(text) as Problem
      if (named) assert.equal(code, 'request.house', `${role} asks ${operation.id}`)
      else assert.deepEqual(details.allowed, operation.roles.join(', '))
    }
    // Whoever runs the server is let in wherever an owner is.
    const headers = { 'x-roles': 'owner', 'x-kind': 'local' }
    const response = await fetch(url + path, { method: operation.method, headers })
    const text = await response.text()
    assert.ok(
      mayAsk(operation, ['owner']) && /"code":"(request\.invalid|test\.reached)"/.test(text),
      `${operation.id} ${text}`,
    )
  }
  assert.ok(reached.length > 0)
})

test('a sender who breaks off in the middle of a body is no failure of ours', async () => {
  const lines: string[] = []
  const counted: number[] = []
  const server = await open(
    [handles(createBucket, (_, { name }) => bucketOf(name))],
    {},
    {
      log: (_, event) => void lines.push(event),
      meter: (_, status) => void counted.push(status),
      answers: await openAnswers(),
    },
  )
  const head = 'POST /v1/buckets HTTP/1.1\r\nhost: a\r\nx-roles: owner\r\n'
  for (const framing of ['content-length: 50\r\n\r\n{', 'transfer-encoding: chunked\r\n\r\n5\r\n{']) {
    const socket = connect({ port: server.port, host: '127.0.0.1' })
    socket.on('error', () => 'the server may cut it')
    socket.end(head + framing)
    socket.resume()
    await happens(socket, 'close')
  }
  while (counted.length < 2) await new Promise((turn) => void setImmediate(turn))
  assert.deepEqual([lines, counted], [[], [499, 499]])
})

test('what does not prove who asks is refused in the words of whoever looked at it', async () => {
  const { ask } = await open([handles(getBucket, (_, { name }) => bucketOf(name))])
  const response = await ask('/v1/buckets/demo', {}, 'forged')
  assert.equal(response.headers.get('www-authenticate'), 'Bearer')
  assert.deepEqual(await problemIn(response).then(({ status, detail }) => [status, detail]), [401, 'It is forged.'])
})

test('a revision travels as ETag, comes back in If-Match, and an unchanged answer is not sent again', async () => {
  const seen: (string | undefined)[] = []
  const { ask } = await open([
    handles(getBucket, (_, { name }) => bucketOf(name, 7)),
    handles(setBucketPolicy, ({ expected }, { name }) => {
      seen.push(expected)
      return bucketOf(name, 8)
    }),
  ])
  const first = await ask('/v1/buckets/demo')
  assert.equal(first.headers.get('etag'), '"7"')
  assert.equal(((await first.json()) as { revision: number }).revision, 7)
  const again = await ask('/v1/buckets/demo', { headers: { 'if-none-match': '"1", W/"7"' } })
  assert.deepEqual([again.status, await again.text()], [304, ''])
  const put = (match: string | undefined) =>
    ask('/v1/buckets/demo/policy', {
      method: 'PUT',
      body: '{"policy":{}}',
      headers: match === undefined ? {} : { 'if-match': match },
    })
  for (const [match, status] of [
    ['"7"', 200],
    ['*', 200],
    [undefined, 200],
    ['W/"7"', 412],
    ['"1", "2"', 412],
    ['7', 412],
  ] as const)
    assert.equal((await put(match)).status, status, `If-Match: ${match}`)
  assert.deepEqual(seen, ['7', undefined, undefined])
})

const key = '"8e03978e-40d5-43dd-bc93-6894a57f9324"'
const create = (ask: Awaited<ReturnType<typeof open>>['ask'], name: string, header: string = key) =>
  ask('/v1/buckets', { method: 'POST', body: JSON.stringify({ name }), headers: { 'idempotency-key': header } })

/** Makes a thing once per wish, and counts how often it was asked to. */
function maker(database: Database, trouble: (time: number) => void = () => {}) {
  let times = 0
  const handler = handles(createBucket, async (call: ApiCall, { name }) => {
    times++
    const made = await database.transact(() =>
      once(call, 'make', function* () {
        yield sql`INSERT INTO things (name) VALUES (${name})`
        return bucketOf(name)
      }),
    )
    trouble(times)
    return made
  })
  return { handler, times: () => times }
}

const thingsIn = (database: Database) =>
  database.read(function* () {
    return (yield sql`SELECT name FROM things`).map(({ name }) => name)
  })

test('under one key a wish is done once, whoever asks with it and however often', async () => {
  const answers = await openAnswers()
  const { handler, times } = maker(answers)
  const { ask } = await open([handler], {}, { answers })
  const first = await (await create(ask, 'demo')).text()
  const second = await create(ask, 'demo')
  assert.equal(second.headers.get('etag'), '"1"')
  assert.deepEqual([await second.text(), times()], [first, 1])
  assert.equal((await problemIn(await create(ask, 'other'))).code, 'request.reused')
  assert.equal((await create(ask, 'other')).status, 422)
  assert.equal((await create(ask, 'demo', '"short"')).status, 400)
  const others = await ask('/v1/buckets', {
    method: 'POST',
    body: '{"name":"theirs"}',
    headers: { 'idempotency-key': key, 'x-tenant': 'u' },
  })
  assert.equal(others.status, 200, 'keys of another tenant are other keys')
  assert.deepEqual(await thingsIn(answers), ['demo', 'theirs'])
})

test('many at once under one key: one does it, the others are told so or given its answer', async () => {
  const answers = await openAnswers()
  const { handler, times } = maker(answers)
  const { ask } = await open([handler], {}, { answers })
  const responses = await Promise.all(Array.from({ length: 20 }, () => create(ask, 'demo')))
  const statuses = new Set(responses.map(({ status }) => status))
  assert.ok(
    statuses.has(200) && [...statuses].every((status) => status === 200 || status === 409),
    [...statuses].join(),
  )
  for (const response of responses.filter(({ status }) => status === 409))
    assert.ok(response.headers.get('retry-after'))
  assert.deepEqual([times(), await thingsIn(answers)], [1, ['demo']])
})

test('a process that dies between doing and answering leaves a wish that is answered as if it had not', async () => {
  const answers = await openAnswers()
  const dead = maker(answers)
  // It never comes to answering: what it did is done, and its claim is held by nobody any more.
  const hanging: Handler = {
    operation: createBucket,
    async answer(call, input) {
      await (dead.handler as Extract<Handler, { answer: unknown }>).answer(call, input)
      return new Promise(() => {})
    },
  }
  const first = await open([hanging], {}, { answers })
  const lost = create(first.ask, 'demo').catch(() => 'it died')
  while ((await thingsIn(answers)).length === 0) await new Promise((wake) => setTimeout(wake, 5))
  await first.close()
  assert.equal(await lost, 'it died')
  const ahead: Clock = { ...systemClock, now: () => Date.now() + 10_001 }
  const { handler, times } = maker(answers)
  const second = await open([handler], {}, { answers, clock: ahead })
  const response = await create(second.ask, 'demo')
  assert.equal(response.status, 200)
  assert.deepEqual(await response.json(), bucketOf('demo'))
  assert.deepEqual([times(), await thingsIn(answers)], [1, ['demo']])
})

test('what failed for the moment is tried again under its key; what is refused for good stays refused', async () => {
  const answers = await openAnswers()
  const { handler, times } = maker(answers, (time) => {
    if (time === 1) throw new PelagoError('test.busy', { kind: 'unavailable', retryable: true, message: 'busy' })
    if (time === 3) throw new PelagoError('test.taken', { kind: 'conflict', retryable: false, message: 'taken' })
  })
  const { ask } = await open([handler], {}, { answers })
  assert.equal((await create(ask, 'demo')).status, 503)
  assert.equal((await create(ask, 'demo')).status, 200)
  const refused = await create(ask, 'third', 'a-key-of-sixteen-or-more')
  const again = await create(ask, 'third', 'a-key-of-sixteen-or-more')
  assert.deepEqual([refused.status, await refused.text()], [again.status, await again.text()])
  assert.deepEqual([times(), await thingsIn(answers)], [3, ['demo', 'third']])
})

test('what is remembered tells nothing without the key', async () => {
  const answers = await openAnswers()
  const { ask } = await open([maker(answers).handler], {}, { answers })
  await create(ask, 'very-secret-name')
  const rows = await answers.read(function* () {
    return [...(yield sql`SELECT * FROM answers`), ...(yield sql`SELECT * FROM deeds`)]
  })
  assert.equal(rows.length, 1)
  for (const value of rows.flatMap((row) => Object.values(row)))
    assert.ok(!Buffer.from(value instanceof Uint8Array ? value : String(value)).includes('very-secret'))
})

test('who asks too often is told when to come again, each by himself', async () => {
  const rate = { perSecond: 1, burst: 2, askersMost: 10 }
  const { ask } = await open([handles(getBucket, (_, { name }) => bucketOf(name))], {
    rates: { address: { ...rate, burst: 5 }, asker: rate },
  })
  const statuses = async (tenant: string, count: number) => {
    const found: number[] = []
    for (let at = 0; at < count; at++) {
      const response = await ask('/v1/buckets/demo', { headers: { 'x-tenant': tenant } })
      found.push(response.status)
      if (response.status === 429) assert.match(response.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
    }
    return found
  }
  assert.deepEqual(await statuses('t', 3), [200, 200, 429])
  assert.deepEqual(await statuses('u', 2), [200, 200], 'another tenant')
  assert.deepEqual(await statuses('v', 1), [429], 'the address has had enough')
})

test('heads and bodies that are too large, too slow or no HTTP are refused with a problem', {
  timeout: 20_000,
}, async () => {
  const { ask, port } = await open([handles(setBucketPolicy, (_, { name }) => bucketOf(name))], {
    bodyMost: 1000,
    bodyMs: 200,
    headMost: 2000,
    headMs: 300,
  })
  const put = (body: string | ReadableStream) => ask('/v1/buckets/demo/policy', { method: 'PUT', body, duplex: 'half' })
  assert.equal((await problemIn(await put(JSON.stringify({ policy: 'x'.repeat(1000) })))).code, 'request.large')
  // The server is in this process, and must have its turn.
  const pull = async (controller: ReadableStreamDefaultController) => {
    await new Promise<void>((turn) => void setImmediate(turn))
    controller.enqueue(Buffer.alloc(300))
  }
  const endless = new ReadableStream({ pull })
  const cut = await put(endless).then(problemIn, () => ({ code: 'request.large' }))
  assert.equal(cut.code, 'request.large')
  assert.equal((await put('{"policy":1}')).status, 200)
  const talk = async (...pieces: string[]) => {
    const socket = connect(port, '127.0.0.1')
    let heard = ''
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()))
    socket.on('error', () => 'what was heard counts')
    for (const piece of pieces) socket.write(piece)
    await happens(socket, 'close')
    return heard
  }
  const slow = 'PUT /v1/buckets/demo/policy HTTP/1.1\r\nHost: a\r\nX-Roles: owner\r\nContent-Length: 9\r\n\r\n{'
  assert.match(await talk(slow), /^HTTP\/1.1 503 [^]*request.slow/)
  assert.match(
    await talk(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(4000)}\r\n\r\n`),
    /^HTTP\/1.1 431 [^]*request.head/,
  )
  assert.match(await talk('GET /v1/buckets HTTP/1.1\r\nHos'), /^HTTP\/1.1 408 [^]*it came too slowly/)
  assert.match(await talk('\x16\x03\x01\r\n\r\n'), /^HTTP\/1.1 400 [^]*request.head/)
})

const healthAt = (now: number) => ({ now, providers: [], margins: [], degraded: 0, repairing: 0, objects: now })
const clientOf = (url: string, roles = 'owner') =>
  openClient({
    clock: systemClock,
    random: openRandom(),
    send: () => assert.fail('it streams'),
    async stream({ path, headers, signal }) {
      const response = await fetch(url + path, { headers: { ...headers, 'x-roles': roles }, ...(signal && { signal }) })
      return { status: response.status, body: response.body as AsyncIterable<Uint8Array> }
    },
  })

test('a stream tells what changes, lives through a restart of its server, and says nothing twice', async () => {
  let now = 1
  const handlerOf = () => {
    const watch = openWatch(
      systemClock,
      5,
      () => healthAt(now),
      ({ objects }) => objects,
    )
    return streams(watchHealth, ({ signal }, _, last) => watch.follow(signal, last))
  }
  const first = await open([handlerOf()], { heartbeatMs: 10 })
  const stop = new AbortController()
  const events = clientOf(first.url).follow(watchHealth, {}, stop.signal)
  assert.equal((await events.next()).value?.objects, 1)
  now = 2
  assert.equal((await events.next()).value?.objects, 2)
  const next = events.next()
  await first.close()
  const ports = { authenticate: stated, clock: systemClock, random: openRandom(), log: () => {} }
  const second = await openApiServer({ ...ports, handlers: [handlerOf()] }, { host: '127.0.0.1', port: first.port })
  closing.push(() => second.close())
  await new Promise((wake) => setTimeout(wake, 300))
  now = 3
  assert.equal((await next).value?.objects, 3, 'the state that it had before is not told again')
  stop.abort()
  assert.ok((await events.next()).done)
})

test('streams are limited, end with the right to them, and hold nothing for who does not read', async () => {
  let made = 0
  let mayListen = true
  const lots = 'x'.repeat(100_000)
  const handler = streams(watchHealth, async function* ({ signal }): AsyncGenerator<
    StreamEvent<ReturnType<typeof healthAt>>
  > {
    while (!signal.aborted) {
      made++
      yield { id: lots, data: healthAt(made) }
    }
  })
  const authenticate: Authenticate = (head) => (mayListen ? stated(head) : Promise.resolve(undefined))
  const { url, ask } = await open([handler], { streamsPerAsker: 2, heartbeatMs: 50, stuckMs: 200 }, { authenticate })
  const path = '/v1/health/events'
  const [one, two] = [await ask(path), await ask(path)]
  assert.equal(one.headers.get('content-type'), 'text/event-stream')
  const crowded = await problemIn(await ask(path))
  assert.deepEqual([crowded.status, crowded.code], [503, 'request.crowded'])
  await new Promise((wake) => setTimeout(wake, 100))
  const before = made
  assert.ok(before * lots.length < 64 * 1024 * 1024, `${before} events were made for nobody`)
  await new Promise((wake) => setTimeout(wake, 50))
  assert.equal(made, before, 'no more are made while nobody reads')
  // Nobody read for too long: both have ended, and there is room again.
  await new Promise((wake) => setTimeout(wake, 400))
  const again = await ask(path)
  assert.equal(again.status, 200)
  for (const response of [one, two, again]) await response.body?.cancel()
  const quiet = streams(watchHealth, async function* ({ signal }) {
    yield { data: healthAt(1) }
    await happens(signal, 'abort')
  })
  const ending = await open([quiet], { heartbeatMs: 20 }, { authenticate })
  const reading = (await ending.ask(path)).text()
  mayListen = false
  const heard = await reading
  assert.match(heard, /^retry: \d+\n\ndata: \{[^]*\n\n/)
  mayListen = true
  assert.equal(
    await clientOf(url, 'clerk')
      .follow(watchHealth, {}, new AbortController().signal)
      .next()
      .catch((error: PelagoError) => error.code),
    'request.forbidden',
  )
})

test('a handler that does not listen is not waited for, and one that breaks tells only its trace', async () => {
  const logged: string[] = []
  const log = (_: string, event: string) => void logged.push(event)
  const handlers = [
    handles(getBucket, () => new Promise<never>(() => {})),
    handles(setBucketPolicy, () => {
      throw new Error('password is hunter2')
    }),
  ]
  const { ask } = await open(handlers, { answerMs: 50 }, { log })
  const late = await problemIn(await ask('/v1/buckets/demo'))
  assert.deepEqual([late.status, late.code], [504, 'operation.late'])
  const broken = await ask('/v1/buckets/demo/policy', { method: 'PUT', body: '{"policy":1}' })
  const text = await broken.text()
  assert.equal(broken.status, 500)
  assert.ok(!text.includes('hunter2') && (JSON.parse(text) as Problem).trace)
  assert.deepEqual(logged, ['api.failed', 'api.failed'])
})

test('every server says what it answers', async () => {
  const { url } = await open([handles(getBucket, (_, { name }) => bucketOf(name))])
  const response = await fetch(`${url}/v1/openapi.json`)
  const { paths } = (await response.json()) as { paths: object }
  assert.deepEqual(Object.keys(paths), ['/v1/buckets/{name}', '/v1/openapi.json'])
})
