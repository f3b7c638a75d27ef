import type { KeyObject } from 'node:crypto'
import { getDirectory } from '#api'
import { canonicalJson, type Clock, type Json, type Log } from '#kernel'
import { type Provider, type SignedDirectory, signDirectory } from '#pool'
import { type Handler, handles } from './handler.ts'

export type FederationPorts = {
  clock: Clock
  log: Log
  /** Ed25519, private. */
  key: KeyObject
  members: readonly Provider[]
  /** The last directory that was signed. */
  load(): Promise<SignedDirectory | undefined>
  save(signed: SignedDirectory): Promise<void>
}

export type Federation = { operations: Handler[] }

/** A directory is good for placing new data this long; it is signed anew well before. */
const goodMs = 30 * 24 * 60 * 60 * 1000

/** The federation's role as far as it is built: it states who is a member, and signs it. */
export async function openFederation(ports: FederationPorts): Promise<Federation> {
  const current = () => freshDirectory(ports)
  await current()
  return { operations: [handles(getDirectory, async () => (await current()) as unknown as Json)] }
}

/** Signs a new version when the members have changed or half of the time is over. */
async function freshDirectory({ clock, log, key, members, load, save }: FederationPorts): Promise<SignedDirectory> {
  const now = clock.now()
  const last = await load()
  const same = last && canonicalJson(last.directory.providers) === canonicalJson([...members])
  if (last && same && last.directory.expiresAt - now > goodMs / 2) return last
  const version = (last?.directory.version ?? 0) + 1
  const signed = signDirectory({ version, issuedAt: now, expiresAt: now + goodMs, providers: [...members] }, key)
  await save(signed)
  log('info', 'directory.signed', { version, providers: members.length })
  return signed
}
