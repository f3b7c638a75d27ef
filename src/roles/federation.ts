import type { KeyObject } from 'node:crypto'
import type { Authenticate } from '#access'
import type { Journal } from '#journal'
import type { Call, Clock, Database, Log, Random } from '#kernel'
import {
  directoryVersion,
  findDirectory,
  isHalfOver,
  type Provider,
  type SignedDirectory,
  stateDirectory,
  takeDirectory,
} from '#pool'
import {
  activeMembers,
  type Authority,
  checkContentDigest,
  type EnrolmentPorts,
  isSignedRequest,
  knowMember,
  openNonces,
  takeMembers,
} from '#trust'
import { entriesOf, writtenMember } from './directory-entries.ts'

export type FederationPorts = {
  clock: Clock
  log: Log
  random: Random
  database: Database
  journal: Journal
  /** Ed25519, private: signs the directory. */
  key: KeyObject
  /** Issues certificates. */
  authority: Authority
}

export type FederationConfig = {
  /** Where the API is reached from other machines; codes hold it, and signed requests must be meant for it. */
  url: string
  /** How long certificates of members are good, milliseconds. */
  lifeMs: number
  /** Who was a member before there were invitations; taken in once. */
  members: readonly Provider[]
  /** The last directory of before there was a database. */
  before: SignedDirectory | undefined
}

/** A federation: who belongs to it, and the directory that says so. */
export type Federation = FederationPorts & {
  url: string
  lifeMs: number
  enrolment: EnrolmentPorts
  /** Knows members by the signatures of their requests. */
  authenticate: Authenticate
  /** The directory of now; signed anew when half of its time is over. */
  directory(): Promise<SignedDirectory>
}

/** Composes the federation's role, and brings its directory up to date. */
export async function openFederation(ports: FederationPorts, config: FederationConfig): Promise<Federation> {
  const { clock, database, log } = ports
  const { url, lifeMs, before, members } = config
  const enrolment: EnrolmentPorts = {
    ...ports,
    *state(now) {
      yield* stateDirectory(ports, entriesOf(yield* activeMembers()), now)
    },
  }
  let current: SignedDirectory | undefined
  const directory = async () => {
    const now = clock.now()
    if (current && isHalfOver(current.directory, now)) await database.transact(() => enrolment.state(now))
    if (current?.directory.version === (await database.read(directoryVersion))) return current
    current = (await database.read(findDirectory)) as SignedDirectory
    const { version, providers, gateways = [] } = current.directory
    log('info', 'directory.signed', { version, providers: providers.length, gateways: gateways.length })
    return current
  }
  if (before) await database.transact(() => takeDirectory(before))
  const call: Call = { actor: 'operator', tenant: '', signal: new AbortController().signal, trace: 'start' }
  await takeMembers(enrolment, call, { members: members.map(writtenMember) })
  await directory()
  const knowing = { database, clock, nonces: openNonces(), authorities: [new URL(url).host] }
  return {
    ...ports,
    url,
    lifeMs,
    enrolment,
    directory,
    async authenticate(head) {
      if (!isSignedRequest(head)) return undefined
      const member = await knowMember(knowing, call, head)
      const stated = head.headers['content-digest']
      return {
        ...{ tenant: '', actor: member.id, roles: ['machine'], kind: 'signature' },
        checkBody: (body) => checkContentDigest(stated, body),
      }
    },
  }
}
