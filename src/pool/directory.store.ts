import type { KeyObject } from 'node:crypto'
import { appendFact, type Journal } from '#journal'
import { canonicalJson, type Migration, type Row, type Statement, sql } from '#kernel'
import { directoryFacts, faultOfMembers, type SignedDirectory, signDirectory } from './directory.ts'
import { poolError } from './errors.ts'
import type { Directory } from './member.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** What the federation stated last. What it stated before is in its log, by digest. */
export const directoryMigrations: Migration[] = [
  {
    id: 1,
    name: 'directory',
    statements: [
      'CREATE TABLE directory (id {int} NOT NULL PRIMARY KEY, version {int} NOT NULL, signed {text} NOT NULL)',
    ],
  },
]

/** A directory is good for placing new data this long, milliseconds; it is signed anew after half of it. */
export const directoryMs = 30 * 24 * 60 * 60 * 1000

/** Whether it is time to sign a directory anew. */
export const isHalfOver = ({ expiresAt }: Directory, now: number) => expiresAt - now <= directoryMs / 2

/** Version of the last directory that was signed; 0 before the first. */
export function* directoryVersion(): Step<number> {
  const [row] = yield sql`SELECT version FROM directory WHERE id = 1`
  return Number(row?.version ?? 0)
}

/** The last directory that was signed. */
export function* findDirectory(): Step<SignedDirectory | undefined> {
  const [row] = yield sql`SELECT signed FROM directory WHERE id = 1`
  return row && (JSON.parse(row.signed as string) as SignedDirectory)
}

function* putDirectory(signed: SignedDirectory): Step<void> {
  const [text, { version }] = [canonicalJson(signed), signed.directory]
  yield sql`INSERT INTO directory (id, version, signed) VALUES (1, ${version}, ${text})
    ON CONFLICT (id) DO UPDATE SET version = ${version}, signed = ${text}`
}

/** Goes on from a directory that was kept in a file before, so that no version comes twice. */
export function* takeDirectory(before: SignedDirectory): Step<void> {
  if ((yield* findDirectory()) === undefined) yield* putDirectory(before)
}

/**
 * Signs a directory of these members, in the transaction that has changed them, unless the last one says the same and is good
 * for half of its time.
 * @param by.key the federation's Ed25519 private key
 * @throws directory.unfit when nobody would believe it
 */
export function* stateDirectory(
  by: { key: KeyObject; journal: Journal },
  members: Required<Pick<Directory, 'providers' | 'gateways'>>,
  now: number,
): Step<SignedDirectory> {
  const { providers, gateways } = members
  const last = yield* findDirectory()
  const same =
    last &&
    canonicalJson([last.directory.providers, last.directory.gateways ?? []]) === canonicalJson([providers, gateways])
  if (last && same && !isHalfOver(last.directory, now)) return last
  const reason = faultOfMembers(members)
  if (reason !== undefined) throw poolError('directory.unfit', { reason })
  const version = (last?.directory.version ?? 0) + 1
  const directory = { version, issuedAt: now, expiresAt: now + directoryMs, providers, gateways }
  const signed = signDirectory(directory, by.key)
  yield* putDirectory(signed)
  yield* appendFact(by.journal, {
    ...{ topic: 'directory.signed', about: 'federation', actor: 'system', tenant: '', at: now },
    facts: directoryFacts(directory),
  })
  return signed
}
