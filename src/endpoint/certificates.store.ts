import { type Migration, type Row, type Statement, sql } from '#kernel'

type Step<T> = Generator<Statement, T, Row[]>

/** What all gateways of one index share of their certificates. Private keys are sealed. */
export const endpointMigrations: Migration[] = [
  {
    id: 1,
    name: 'certificates',
    expands: true,
    down: ['DROP TABLE endpoint_answers', 'DROP TABLE endpoint_accounts', 'DROP TABLE endpoint_certificates'],
    statements: [
      // An empty chain: there is none yet, only what went wrong.
      `CREATE TABLE endpoint_certificates (id {text} NOT NULL PRIMARY KEY, chain {text} NOT NULL, sealed {blob} NOT NULL,
        taken_at {int} NOT NULL, trouble {text} NOT NULL, troubled_at {int} NOT NULL)`,
      `CREATE TABLE endpoint_accounts (directory {text} NOT NULL PRIMARY KEY, url {text} NOT NULL, sealed {blob} NOT NULL)`,
      `CREATE TABLE endpoint_answers (host {text} NOT NULL, kind {text} NOT NULL, token {text} NOT NULL,
        answer {text} NOT NULL, until {int} NOT NULL, PRIMARY KEY (host, kind))`,
    ],
  },
]

/** A certificate as it lies in the index; `chain` is empty where there is none yet. */
export type StoredCertificate = {
  chain: string
  sealed: Uint8Array
  takenAt: number
  /** Why the next one could not be had; empty when nothing is wrong. */
  trouble: string
  /** When that was, milliseconds since 1970; 0 for never. */
  troubledAt: number
}

export function* findCertificate(id: string): Step<StoredCertificate | undefined> {
  const [row] = yield sql`SELECT * FROM endpoint_certificates WHERE id = ${id}`
  return (
    row && {
      chain: row.chain as string,
      sealed: row.sealed as Uint8Array,
      takenAt: row.taken_at as number,
      trouble: row.trouble as string,
      troubledAt: row.troubled_at as number,
    }
  )
}

/** Puts the first one there; of several gateways that do so the first one's stays. */
export function* keepCertificate(id: string, chain: string, sealed: Uint8Array, now: number): Step<void> {
  yield sql`INSERT INTO endpoint_certificates (id, chain, sealed, taken_at, trouble, troubled_at)
    VALUES (${id}, ${chain}, ${sealed}, ${now}, '', 0) ON CONFLICT (id) DO NOTHING`
}

/** Puts a new one in the place of the last, whose trouble is over. */
export function* takeCertificate(id: string, chain: string, sealed: Uint8Array, now: number): Step<void> {
  yield sql`INSERT INTO endpoint_certificates (id, chain, sealed, taken_at, trouble, troubled_at)
    VALUES (${id}, ${chain}, ${sealed}, ${now}, '', 0)
    ON CONFLICT (id) DO UPDATE SET chain = ${chain}, sealed = ${sealed}, taken_at = ${now}, trouble = '', troubled_at = 0`
}

/** States why a certificate could not be had. */
export function* stateTrouble(id: string, trouble: string, now: number): Step<void> {
  yield sql`INSERT INTO endpoint_certificates (id, chain, sealed, taken_at, trouble, troubled_at)
    VALUES (${id}, '', ${new Uint8Array()}, 0, ${trouble}, ${now})
    ON CONFLICT (id) DO UPDATE SET trouble = ${trouble}, troubled_at = ${now}`
}

/** An account at a certification authority; its `url` is empty until the authority has named one. */
export type StoredAccount = { url: string; sealed: Uint8Array }

export function* findAccount(directory: string): Step<StoredAccount | undefined> {
  const [row] = yield sql`SELECT url, sealed FROM endpoint_accounts WHERE directory = ${directory}`
  return row && { url: row.url as string, sealed: row.sealed as Uint8Array }
}

/** Keeps a key before the authority hears of it, so that its account is never lost. */
export function* keepAccount(directory: string, sealed: Uint8Array): Step<void> {
  yield sql`INSERT INTO endpoint_accounts (directory, url, sealed) VALUES (${directory}, '', ${sealed})
    ON CONFLICT (directory) DO NOTHING`
}

/** @param url empty: the authority does not know the account any more */
export function* nameAccount(directory: string, url: string): Step<void> {
  yield sql`UPDATE endpoint_accounts SET url = ${url} WHERE directory = ${directory}`
}

/** Ways in which a gateway proves that a name leads to it: RFC 8555 section 8.3, RFC 8737. */
export const challengeKinds = ['tls-alpn-01', 'http-01'] as const
export type ChallengeKind = (typeof challengeKinds)[number]

/** What any gateway that is asked for it must answer. `answer`: the key authorization (RFC 8555 section 8.1). */
export type ChallengeAnswer = { host: string; kind: ChallengeKind; token: string; answer: string }

/** @param until after this nobody asks any more, milliseconds since 1970 */
export function* putAnswer({ host, kind, token, answer }: ChallengeAnswer, until: number): Step<void> {
  yield sql`INSERT INTO endpoint_answers (host, kind, token, answer, until)
    VALUES (${host}, ${kind}, ${token}, ${answer}, ${until})
    ON CONFLICT (host, kind) DO UPDATE SET token = ${token}, answer = ${answer}, until = ${until}`
}

/** Most of them that are looked at: more names than a certificate may have. */
const answersMost = 100

export function* openAnswers(now: number): Step<ChallengeAnswer[]> {
  const rows = yield sql`SELECT host, kind, token, answer FROM endpoint_answers WHERE until > ${now}
    ORDER BY host, kind LIMIT ${answersMost}`
  return rows.map((row) => ({
    host: row.host as string,
    kind: row.kind as ChallengeKind,
    token: row.token as string,
    answer: row.answer as string,
  }))
}

export function* dropAnswers(hosts: readonly string[], now: number): Step<void> {
  for (const host of hosts) yield sql`DELETE FROM endpoint_answers WHERE host = ${host}`
  yield sql`DELETE FROM endpoint_answers WHERE until <= ${now}`
}
