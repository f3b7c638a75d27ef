/** The API of a whole Pelago: everything is answered, repeating is safe also when a gateway is killed, and changes can be watched. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { operations, type Problem } from '#api'
import { type Pelago, startPelago } from './start-pelago.ts'

type Ports = { supervisor: number; gateway: number; federation: number }

describe('the API', () => {
  let pelago: Pelago
  let ports: Ports
  let token: string
  before(async () => {
    pelago = await startPelago()
    ports = (JSON.parse(await readFile(join(pelago.data, 'run.json'), 'utf8')) as { ports: Ports }).ports
    token = (await readFile(join(pelago.data, 'api-token'), 'utf8')).trim()
  })
  after(() => pelago.close())

  const ask = (
    server: keyof Ports,
    path: string,
    init: { method?: string; body?: string; headers?: Record<string, string> } = {},
  ) =>
    fetch(`http://127.0.0.1:${ports[server]}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...init.headers },
      signal: AbortSignal.timeout(20_000),
    })

  test('every operation of the contract is answered by its server', async () => {
    const answered: Record<string, string[]> = {}
    for (const server of ['supervisor', 'gateway', 'federation'] as const) {
      const document = (await (await fetch(`http://127.0.0.1:${ports[server]}/v1/openapi.json`)).json()) as {
        paths: Record<string, Record<string, { operationId: string }>>
      }
      answered[server] = Object.values(document.paths).flatMap((item) =>
        Object.values(item).map((told) => told.operationId),
      )
    }
    const missing = Object.values(operations).flatMap(({ id, server }) => {
      const servers = server === 'every' ? ['gateway'] : [server]
      return servers.filter((name) => !answered[name]?.includes(id)).map((name) => `${id} at ${name}`)
    })
    assert.deepEqual(missing, [])
  })

  test('without a token nothing is answered but what is for anyone; the token may what owners and operators may', async () => {
    for (const { id, method, path, server, roles } of Object.values(operations)) {
      if (roles.includes('anyone')) continue
      const url = path.replace(/\{\w+\}/g, 'x')
      const where = server === 'every' ? 'gateway' : server
      const nobody = await fetch(`http://127.0.0.1:${ports[where]}${url}`, {
        method,
        signal: AbortSignal.timeout(20_000),
      })
      assert.equal(nobody.status, 401, id)
      const forged = await ask(where, url, { method, headers: { authorization: `Bearer ${token}0` } })
      assert.equal(forged.status, 401, id)
      await Promise.all([nobody.body?.cancel(), forged.body?.cancel()])
    }
  })

  test('a bucket is made once under its key, whenever the gateway is killed', async () => {
    const pidOf = async () => {
      const { processes } = (await (await ask('supervisor', '/v1/status')).json()) as {
        processes: { name: string; pid: number | null; state: string }[]
      }
      return processes.find(({ name, state }) => name === 'gateway' && state === 'running')?.pid ?? undefined
    }
    for (let round = 0; round < 4; round++) {
      const body = JSON.stringify({ name: `once-${round}` })
      const headers = { 'idempotency-key': `"a-key-for-round-number-${round}"` }
      const create = () => ask('gateway', '/v1/buckets', { method: 'POST', body, headers })
      let pid: number | undefined
      while ((pid = await pidOf()) === undefined) await new Promise((wake) => setTimeout(wake, 50))
      const first = create().then(
        (response) => response.text(),
        () => undefined,
      )
      // Somewhere between before, amid and after; a later round waits longer.
      await new Promise((wake) => setTimeout(wake, round * 3))
      process.kill(pid, 'SIGKILL')
      const early = await first
      const until = Date.now() + 40_000
      let answer: Response | undefined
      while (answer?.status !== 200) {
        assert.ok(Date.now() < until, `round ${round}: ${answer?.status}`)
        await new Promise((wake) => setTimeout(wake, 200))
        answer = await create().catch(() => undefined)
        if (answer && answer.status !== 200) {
          const { code, retryable } = (await answer.json()) as Problem
          assert.ok(retryable, `round ${round} was refused: ${code}`)
        }
      }
      const made = await answer.text()
      if (early !== undefined) assert.equal(made, early)
      assert.equal(await (await create()).text(), made)
    }
    const { buckets } = (await (await ask('gateway', '/v1/buckets')).json()) as { buckets: { name: string }[] }
    assert.deepEqual(
      buckets.map(({ name }) => name),
      [0, 1, 2, 3].map((round) => `once-${round}`),
    )
  })

  test('of many changes to one revision one counts', async () => {
    const seen = await ask('gateway', '/v1/buckets/once-0')
    const etag = seen.headers.get('etag') ?? ''
    await seen.body?.cancel()
    const change = (etags: string) =>
      ask('gateway', '/v1/buckets/once-0/etags', {
        method: 'PUT',
        body: JSON.stringify({ etags }),
        headers: { 'if-match': etag },
      })
    const statuses = await Promise.all(
      Array.from({ length: 12 }, (_, at) => change(at % 2 ? 'md5' : 'opaque').then(({ status }) => status)),
    )
    assert.deepEqual(
      statuses.toSorted((a, b) => a - b),
      [200, ...Array.from({ length: 11 }, () => 412)],
    )
  })

  /** Runs a command that goes on, and waits for what it says. */
  function listen(...words: string[]) {
    const program = join(import.meta.dirname, '..', '..', 'bin', 'pelago.ts')
    const child = spawn(process.execPath, [
      ...['--disable-warning=ExperimentalWarning', program, ...words, '--watch', '--data', pelago.data],
    ])
    let heard = ''
    child.stdout.on('data', (chunk: Buffer) => (heard += chunk.toString()))
    const hears = async (what: RegExp) => {
      const until = Date.now() + 30_000
      while (!what.test(heard)) {
        assert.ok(Date.now() < until, `${what} was not heard in: ${heard}`)
        await new Promise((wake) => setTimeout(wake, 50))
      }
      heard = heard.replace(what, '')
    }
    return { hears, stop: () => child.kill('SIGTERM') }
  }

  test('pelago jobs --watch says that a job is asked for and that it is done', async () => {
    const { hears, stop } = listen('jobs')
    try {
      await hears(/storage\.sweep/)
      const body = JSON.stringify({ policy: {} })
      assert.equal((await ask('gateway', '/v1/buckets/once-1/policy', { method: 'PUT', body })).status, 200)
      await hears(/storage\.move once-1 done/)
    } finally {
      stop()
    }
  })

  test('pelago status --watch says when a provider goes and when it comes back', async () => {
    const { hears, stop } = listen('status')
    try {
      await hears(/All 10 processes run\./)
      await hears(/All 7 providers answer\./)
      assert.equal((await pelago.cli('provider', 'stop', 'vecht')).code, 0)
      await hears(/Process vecht is stopped: it was stopped by command/)
      await hears(/1 of 7 providers do not answer: vecht/)
      assert.equal((await pelago.cli('provider', 'start', 'vecht')).code, 0)
      await hears(/All 10 processes run\./)
      await hears(/All 7 providers answer\./)
    } finally {
      stop()
    }
  })
})
