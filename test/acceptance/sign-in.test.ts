import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Passkey } from '../tools/authenticator.ts'
import { type Pelago, startPelago } from './start-pelago.ts'

type Json = Record<string, unknown>

test('pelago up: the first owner comes in by the code of the machine, and a restart changes nothing', async () => {
  let pelago = await startPelago()
  try {
    const made = await pelago.cli('admin', 'code')
    assert.equal(made.code, 0, made.err)
    const gateway = (path: string, body: unknown, cookie?: string) => ask(pelago, path, body, cookie)
    const claim = { kind: 'admin', code: made.out.trim(), name: 'ada' }
    const { enrolment } = (await gateway('/v1/enrolments', claim)).body
    const keys = [new Passkey(-7), new Passkey(-8)]
    for (const key of keys) {
      const begun = (await gateway('/v1/enrolments/passkeys/begin', { enrolment })).body
      const answer = key.create(begun.options as never, originOf(pelago))
      const more = { enrolment, ceremony: begun.ceremony, name: 'key', answer }
      const registered = await gateway('/v1/enrolments/passkeys', more)
      assert.equal(registered.status, 200, JSON.stringify(registered.body))
    }
    const enter = async () => {
      const begun = (await gateway('/v1/sign-in/passkey', {})).body
      const answer = (keys[0] as Passkey).get(begun.options as never, originOf(pelago))
      return gateway('/v1/sign-in/passkey/finish', { ceremony: begun.ceremony, answer })
    }
    const { cookie } = await enter()
    assert.match(cookie, /^pelago-session=pls_/)

    await pelago.stop()
    pelago = await startPelago({ data: pelago.data })
    const codes = await gateway('/v1/passkeys/begin', {}, cookie)
    assert.equal(codes.status, 200, 'the session outlives the process')
    assert.equal((await enter()).status, 200)
    const refused = await pelago.cli('admin', 'code')
    assert.equal(refused.code, 1)
    assert.match(refused.err, /has an owner who can sign in/)
    const logged = await pelago.cli('log', 'list', '--topic', 'session.opened')
    assert.match(logged.out, /a person signed in|session\.opened/)
  } finally {
    await pelago.close()
  }
})

function portOf({ data }: Pelago): number {
  const run = JSON.parse(readFileSync(join(data, 'run.json'), 'utf8')) as { ports: { gateway: number } }
  return run.ports.gateway
}

const originOf = (pelago: Pelago) => `http://localhost:${portOf(pelago)}`

async function ask(pelago: Pelago, path: string, body: unknown, cookie?: string) {
  const response = await fetch(`http://127.0.0.1:${portOf(pelago)}${path}`, {
    method: 'POST',
    headers: {
      ...{ 'content-type': 'application/json', origin: originOf(pelago), 'x-pelago': '1' },
      ...(cookie !== undefined && { cookie }),
    },
    body: JSON.stringify(body),
  })
  return {
    status: response.status,
    body: (await response.json()) as Json,
    cookie: (response.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '',
  }
}
