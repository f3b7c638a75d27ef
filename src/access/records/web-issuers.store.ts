import { type Row, type Statement, sql } from '#kernel'
import { accessError } from '../errors.ts'
import { noteChange } from './changes.store.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** Whose tokens a tenant takes for AssumeRoleWithWebIdentity: exactly this issuer, for these audiences, signed with keys from here. */
export type WebIssuer = {
  tenant: string
  issuer: string
  audiences: string[]
  /** Where the issuer's keys (JWKS) are fetched from. */
  keysUrl: string
  createdAt: number
}

/** Sets or replaces one. */
export function* setWebIssuer({ tenant, issuer, audiences, keysUrl, createdAt }: WebIssuer): Step<void> {
  const list = JSON.stringify(audiences)
  yield sql`INSERT INTO web_issuers (tenant, issuer, audiences, keys_url, created_at)
    VALUES (${tenant}, ${issuer}, ${list}, ${keysUrl}, ${createdAt})
    ON CONFLICT (tenant, issuer) DO UPDATE SET audiences = ${list}, keys_url = ${keysUrl}`
  yield* noteChange()
}

export function* findWebIssuer(tenant: string, issuer: string): Step<WebIssuer | undefined> {
  const [row] = yield sql`SELECT * FROM web_issuers WHERE tenant = ${tenant} AND issuer = ${issuer}`
  return row && issuerOf(row)
}

export function* listWebIssuers(tenant: string): Step<WebIssuer[]> {
  const rows = yield sql`SELECT * FROM web_issuers WHERE tenant = ${tenant} ORDER BY issuer`
  return rows.map(issuerOf)
}

/** What came of its tokens ends with it, because each request asks whether it is still there. @throws web-issuer.missing */
export function* deleteWebIssuer(tenant: string, issuer: string): Step<void> {
  if (!(yield* findWebIssuer(tenant, issuer))) throw accessError('web-issuer.missing', { issuer })
  yield sql`DELETE FROM web_issuers WHERE tenant = ${tenant} AND issuer = ${issuer}`
  yield* noteChange()
}

function issuerOf(row: Row): WebIssuer {
  return {
    tenant: row.tenant as string,
    issuer: row.issuer as string,
    audiences: JSON.parse(row.audiences as string) as string[],
    keysUrl: row.keys_url as string,
    createdAt: row.created_at as number,
  }
}
