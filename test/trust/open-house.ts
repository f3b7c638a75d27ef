/** A real federation behind a real API server, for tests of enrolment: only the clock is the test's. */
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { anyOf, localToken } from '#access'
import { factsAfter, openSealedLog } from '#journal'
import type { Json } from '#kernel'
import { federationOperations, openFederation } from '#roles'
import { makeAuthority, openAuthority, readInvitationCode, signRequest, leafMs } from '#trust'
import { openSqlite } from '../../src/host/database/sqlite.ts'
import { openApiServer } from '../../src/host/http/api-server.ts'
import { freePort } from '../../src/host/http/free-port.ts'
import { openRandom } from '../../src/host/random.ts'
import { publicHexOf } from '../../src/host/run/own-keys.ts'
import { federationDatabase } from '../../src/host/run/open-own-federation.ts'
import { journalMigrations } from '../../src/journal/migrations.ts'
import { memoryHead } from '../tools/memory-head.ts'
import { openVirtualClock } from '../tools/virtual-clock.ts'

export type Answer = { status: number; body: Record<string, Json>; headers: Headers }
export type Keys = { identity: KeyObject; publicIdentity: KeyObject; shared: string }

export const north = {
  ...{ name: 'North Cloud', country: 'DE', owner: 'North Cloud eG', ownerCountry: 'DE' },
  attestations: ['ISO27001'],
}
export const place = { endpoint: 'http://127.0.0.1:4300', capacityBytes: 1000 }

/** What a machine makes before it joins. */
export function freshKeys(): Keys {
  const { privateKey: identity, publicKey: publicIdentity } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { identity, publicIdentity, shared: publicHexOf(generateKeyPairSync('x25519').privateKey) }
}

/** @param folder of a house that was closed, to go on with */
export async function openFederationHouse(folder = mkdtempSync(join(tmpdir(), 'pelago-federation-'))) {
  const clock = openVirtualClock()
  const [random, lines] = [openRandom(), [] as string[]]
  const log = (...line: unknown[]) => void lines.push(JSON.stringify(line))
  const schemas = [{ component: 'journal', migrations: journalMigrations }, ...federationDatabase.schemas]
  const database = await openSqlite({ file: join(folder, federationDatabase.file), schemas })
  const journal = { nameKey: random.bytes(32) }
  const key = generateKeyPairSync('ed25519')
  const { privateKey: own } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const made = { key: own, now: clock.now() }
  const authority = openAuthority({
    ...made,
    certificate: await makeAuthority({ ...made, name: 'Test', serial: random.bytes(16) }),
  })
  const port = await freePort('127.0.0.1', 20_000 + Math.floor(Math.random() * 10_000), new Set())
  const url = `http://127.0.0.1:${port}`
  const ports = { clock, log, random, database, journal, key: key.privateKey, authority }
  const federation = await openFederation(ports, { url, members: [], before: undefined, lifeMs: leafMs })
  const authenticate = anyOf([federation.authenticate, localToken('the-token', 'federation')])
  const handlers = federationOperations(federation)
  const server = await openApiServer(
    { handlers, authenticate, clock, random, log, answers: database },
    { host: '127.0.0.1', port },
  )

  const send = async (
    method: string,
    target: string,
    headers: Record<string, string>,
    body?: string,
  ): Promise<Answer> => {
    const answer = await fetch(url + target, {
      method,
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body }),
    })
    const text = await answer.text()
    return {
      status: answer.status,
      headers: answer.headers,
      body: text === '' ? {} : (JSON.parse(text) as Answer['body']),
    }
  }
  /** As whoever runs the federation. */
  const ask = (method: string, target: string, body?: Json) =>
    send(
      method,
      target,
      { authorization: 'Bearer the-token', 'idempotency-key': randomBytes(18).toString('hex') },
      body === undefined ? undefined : JSON.stringify(body),
    )
  const signed = (
    method: string,
    target: string,
    by: { key: KeyObject; keyId: string },
    body = '',
    nonce = randomBytes(12).toString('hex'),
  ) =>
    signRequest(
      { method, authority: new URL(url).host, target, body: Buffer.from(body) },
      { ...by, nonce, now: clock.now() },
    )
  const join_ = async (
    code: string,
    kind: 'gateway' | 'provider',
    keys: Keys,
    further: Record<string, Json> = {},
  ): Promise<Answer> => {
    const { invitation, secret, member } = readInvitationCode(code, kind)
    const identity = keys.publicIdentity.export({ format: 'der', type: 'spki' }).toString('base64')
    const body = JSON.stringify({ invitation, secret, publicKey: keys.shared, identity, ...further })
    return send('POST', '/v1/members', signed('POST', '/v1/members', { key: keys.identity, keyId: member }, body), body)
  }
  return {
    ...{ folder, clock, database, federation, url, lines, key, authority, send, ask, signed, join: join_ },
    /** Makes a code. */
    async invite(kind: 'gateway' | 'provider', id: string, further: Record<string, Json> = {}): Promise<string> {
      const facts = kind === 'provider' ? north : {}
      const { status, body } = await ask('POST', `/v1/${kind}s/${id}/invitations`, { ...facts, ...further })
      if (status !== 200) throw new Error(JSON.stringify(body))
      return body.code as string
    },
    async directory() {
      const { body } = await send('GET', '/v1/directory', {})
      return body as unknown as {
        version: number
        directory: { providers: { id: string }[]; gateways: { id: string }[] }
        signature: string
      }
    },
    /** Everything that the log has. */
    async stated() {
      const sealedLog = await openSealedLog({ ...ports, secret: async () => Buffer.alloc(32, 7), kept: memoryHead() })
      while ((await sealedLog.seal()) === 'more');
      await sealedLog.stop()
      return database.read(() => factsAfter(0, 10_000))
    },
    async close() {
      await server.close()
      await database.close()
      rmSync(folder, { recursive: true })
    },
  }
}

export type FederationHouse = Awaited<ReturnType<typeof openFederationHouse>>
