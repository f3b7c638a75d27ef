import { createPublicKey, type KeyObject } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import type { Call, Clock, Json, Log, Random } from '#kernel'
import { type Federation, invite, join } from '#roles'
import { findMember, pinOfKey, readInvitationCode } from '#trust'
import { writePrivate, writePrivateJson } from '../disk/write-file.ts'
import type { FederationConfig } from '../run/configuration.ts'
import { federationDatabase, moveLogDatabase, openOwnFederation } from '../run/open-own-federation.ts'
import { openOwnDatabase } from '../run/own-log.ts'

/** A role of the demo that has to be enrolled. */
export type DemoMember = {
  id: string
  /** What the federation states about a provider; null for a gateway. */
  facts: Json
  /** X25519, public, hex. */
  publicKey: string
  /** ECDSA on P-256, private. */
  identity: KeyObject
  endpoint?: string
  capacityBytes?: number
  /** Where its certificate and the authority's go. */
  folder: string
  /** Where its copy of the directory goes, so that it can start without the federation. */
  directoryFile?: string
}

/**
 * Enrols who is not enrolled yet with the keys and the address that he has, by the verbs that stand behind `pelago … invite` and
 * `pelago … join`; the federation's process does not run at that time.
 */
export async function enrolDemo(
  ports: { clock: Clock; log: Log; random: Random },
  config: FederationConfig,
  members: readonly DemoMember[],
): Promise<void> {
  moveLogDatabase(config.folder)
  const { index: database, journal } = await openOwnDatabase(config.folder, ports, federationDatabase)
  try {
    const federation = await openOwnFederation({ ...ports, database, journal }, config)
    await Promise.all(members.map((member) => enrol(federation, member)))
    const signed = await federation.directory()
    for (const { directoryFile } of members)
      if (directoryFile !== undefined && !existsSync(directoryFile)) writePrivateJson(directoryFile, signed)
  } finally {
    await database.close()
  }
}

const call: Call = { actor: 'operator', tenant: '', signal: new AbortController().signal, trace: 'up' }

async function enrol(federation: Federation, demo: DemoMember): Promise<void> {
  const { id, facts, publicKey, identity, endpoint, capacityBytes, folder } = demo
  const known = await federation.database.read(() => findMember(id))
  const place = facts === null ? { endpoint: '', capacityBytes: 0 } : { endpoint, capacityBytes }
  const same =
    known?.publicKey === publicKey &&
    known.pin === pinOfKey(identity) &&
    known.endpoint === place.endpoint &&
    known.capacityBytes === place.capacityBytes
  const file = joinPath(folder, 'certificate.pem')
  // Whoever was revoked stays so, also over a restart.
  if (known?.state === 'revoked' || (same && existsSync(file))) return
  const kind = facts === null ? 'gateway' : 'provider'
  const { code } = await invite(federation, call, { kind, member: id, facts, again: known !== undefined })
  const { invitation, secret } = readInvitationCode(code, kind)
  const joined = await join(federation, call, {
    ...{ invitation, secret, publicKey, address: 'this machine' },
    identity: createPublicKey(identity).export({ format: 'der', type: 'spki' }),
    ...(endpoint !== undefined && { endpoint }),
    ...(capacityBytes !== undefined && { capacityBytes }),
  })
  writePrivate(joinPath(folder, 'authority.pem'), joined.authority)
  writePrivate(file, joined.certificate)
}
