/** A real API server with a real database, for tests of sign-in: only the clock is the test's. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { anyOf, localToken, sessionAuthentication } from '#access'
import type { Json } from '#kernel'
import { signInOperations } from '#roles'
import { openPostgres } from '../../src/host/database/postgres.ts'
import { openSqlite } from '../../src/host/database/sqlite.ts'
import { openApiServer } from '../../src/host/http/api-server.ts'
import { openRandom } from '../../src/host/random.ts'
import type { GatewayConfig } from '../../src/host/run/configuration.ts'
import { openSignIn } from '../../src/host/run/open-sign-in.ts'
import { indexSchemas } from '../../src/host/run/schemas.ts'
import { Passkey } from './authenticator.ts'
import { openVirtualClock } from './virtual-clock.ts'

export const origin = 'https://storage.example.org'
export const rp = 'storage.example.org'
export const token = 'the-token-of-the-machine-itself'

export type Answer = { status: number; body: Record<string, Json>; cookies: string[] }
export type Asker = { cookie?: string; bearer?: string; headers?: Record<string, string> }

/** @param postgres address of a database; a SQLite file without */
export async function openHouse(
  given: Pick<GatewayConfig, 'signIn' | 'egress'> = {},
  clock = openVirtualClock(),
  postgres?: string,
) {
  const folder = mkdtempSync(join(tmpdir(), 'pelago-sign-in-'))
  const schemas = indexSchemas
  const database = await (postgres === undefined
    ? openSqlite({ file: join(folder, 'index.db'), schemas })
    : openPostgres({ url: postgres, schemas }))
  const random = openRandom()
  const journal = { nameKey: random.bytes(32) }
  const lines: string[] = []
  const log = (...line: unknown[]) => void lines.push(JSON.stringify(line))
  const signIn = given.signIn ?? { rp, name: 'Test', origins: [origin], providers: [] }
  const config = { api: { host: '127.0.0.1', port: 0 }, signIn, ...(given.egress && { egress: given.egress }) }
  const ports = openSignIn({ database, clock, random, log, journal }, config, 'demo')
  const authenticate = anyOf([sessionAuthentication(ports), localToken(token, 'demo')])
  const handlers = signInOperations(ports)
  const server = await openApiServer({ handlers, authenticate, clock, random, log }, config.api)

  const ask = async (method: string, path: string, body?: unknown, asker: Asker = {}): Promise<Answer> => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(asker.cookie !== undefined && { cookie: asker.cookie }),
        ...(asker.bearer !== undefined && { authorization: `Bearer ${asker.bearer}` }),
        ...(asker.headers ?? { origin, 'x-pelago': '1', 'sec-fetch-site': 'same-origin' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return {
      status: response.status,
      body: (await response.json()) as Record<string, Json>,
      cookies: response.headers.getSetCookie(),
    }
  }
  const house = {
    ...{ ask, clock, ports, database, port: server.port, lines },
    local: { bearer: token } satisfies Asker,
    async close() {
      await server.close()
      await database.close()
      rmSync(folder, { recursive: true })
    },
  }
  return house
}

export type House = Awaited<ReturnType<typeof openHouse>>

/** What the answer must be for the test to go on. */
export function good({ status, body, cookies }: Answer): { body: Record<string, Json>; cookie: string } {
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`)
  return { body, cookie: (cookies.at(-1) ?? '').split(';')[0] ?? '' }
}

/** Registers what an enrolment owes and comes out signed in. */
export async function enrol(house: House, enrolment: string, keys: Passkey[]): Promise<Asker> {
  let cookie = ''
  for (const [at, key] of keys.entries()) {
    const begun = good(await house.ask('POST', '/v1/enrolments/passkeys/begin', { enrolment })).body
    const answer = key.create(begun.options as never, origin, at % 2 === 0 ? 'none' : 'packed')
    const made = await house.ask('POST', '/v1/enrolments/passkeys', {
      ...{ enrolment, ceremony: begun.ceremony, name: `key ${at}`, answer },
    })
    cookie = good(made).cookie
  }
  return { cookie }
}

/** The first owner, with two passkeys, signed in. */
export async function firstOwner(house: House, name = 'ada', keys = [new Passkey(-7), new Passkey(-8)]) {
  const { code } = good(await house.ask('POST', '/v1/admin-codes', {}, house.local)).body
  const claimed = good(await house.ask('POST', '/v1/enrolments', { kind: 'admin', code, name }))
  return { asker: await enrol(house, claimed.body.enrolment as string, keys), keys, name }
}

/** A sign-in by passkey. */
export async function signIn(house: House, key: Passkey, asker: Asker = {}): Promise<Answer> {
  const begun = good(await house.ask('POST', '/v1/sign-in/passkey', {})).body
  const answer = key.get(begun.options as never, origin)
  return house.ask('POST', '/v1/sign-in/passkey/finish', { ceremony: begun.ceremony, answer }, asker)
}
