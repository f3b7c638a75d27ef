import type { KeyObject } from 'node:crypto'
import { FlattenedSign } from 'jose'
import type { Clock, EgressAnswer, EgressFetch, Json } from '#kernel'
import { type Fields, fieldsOf, isFields, problemIn, refusalOf, strange, textOf } from './answer.ts'

/** Who signs: a key, and the URL of its account once it has one. */
export type Signer = { key: KeyObject; account?: string }

/** Where an authority does what, and what it demands (RFC 8555 section 7.1.1). */
export type AcmeDirectory = {
  newNonce: string
  newAccount: string
  newOrder: string
  /** Tells when certificates are to be renewed (RFC 9773); not every authority does. */
  renewalInfo: string | undefined
  /** Where its terms are; to be read by people. */
  terms: string | undefined
  /** Kinds of certificates that it issues; undefined where it knows no such thing. */
  profiles: readonly string[] | undefined
  needsBinding: boolean
}

/** A certification authority that speaks ACME. */
export type AcmeServer = {
  /** Its host, as people know it. */
  name: string
  /** @throws egress errors, acme.answer, acme.busy, acme.limited */
  directory(): Promise<AcmeDirectory>
  /**
   * Sends a signed request. Without a payload it only reads (POST-as-GET, RFC 8555 section 6.3). A nonce that the authority
   * does not know any more is no reason to fail; it is signed again with another.
   * @throws egress errors, acme.refused, acme.limited, acme.busy, acme.terms, acme.binding, acme.answer
   */
  post(url: string, payload: Json | undefined, signer: Signer, accept?: string): Promise<EgressAnswer>
  /** Reads what is not signed for, such as when to renew. @throws as above */
  get(url: string): Promise<EgressAnswer>
}

/** Authorities seldom move, and say so in their directory; it is read again after this. */
const keptMs = 60 * 60_000
/** Nonces that are kept for later requests; each is good once. */
const noncesMost = 8
/** A request whose nonce is not taken is signed again so many times. */
const signedMost = 4

/** Opens one. @param url of its directory */
export function openAcmeServer(ports: { egress: EgressFetch; clock: Clock; agent: string }, url: string): AcmeServer {
  const name = new URL(url).host
  const nonces: string[] = []
  // Section 6.1 demands the one and advises the other.
  const common = { 'user-agent': ports.agent, 'accept-language': 'en' }
  let known: { directory: Promise<AcmeDirectory>; until: number } | undefined
  const keepNonce = ({ headers }: EgressAnswer) => {
    const nonce = headers['replay-nonce']
    if (nonce !== undefined && nonces.length < noncesMost) nonces.push(nonce)
  }
  const get = async (from: string): Promise<EgressAnswer> => {
    const answer = await ports.egress({ url: from, headers: common })
    if (answer.status >= 400) throw refusalOf(name, answer, ports.clock.now())
    return answer
  }
  const directory = () => {
    const now = ports.clock.now()
    if (known && now < known.until) return known.directory
    const asked = {
      directory: get(url).then((answer) => directoryOf(name, fieldsOf(name, answer))),
      until: now + keptMs,
    }
    known = asked
    // What could not be had now is asked for again by the next one.
    asked.directory.catch(() => {
      asked.until = 0
    })
    return asked.directory
  }
  const nonce = async (): Promise<string> => {
    const kept = nonces.pop()
    if (kept !== undefined) return kept
    const { headers } = await get((await directory()).newNonce)
    const fresh = headers['replay-nonce']
    if (fresh === undefined) throw strange(name, 'it gives no nonce')
    return fresh
  }
  return {
    name,
    directory,
    get,
    async post(to, payload, signer, accept = 'application/json') {
      for (let signed = 1; ; signed++) {
        const body = await jwsOf(signer, { url: to, nonce: await nonce() }, payload)
        const headers = { ...common, 'content-type': 'application/jose+json', accept }
        const answer = await ports.egress({ url: to, method: 'POST', headers, body })
        keepNonce(answer)
        if (answer.status < 400) return answer
        if (signed === signedMost || problemIn(name, answer).type !== 'badNonce')
          throw refusalOf(name, answer, ports.clock.now())
      }
    },
  }
}

/** A request as RFC 8555 section 6.2 wants it: signed with ES256, over the URL that it goes to. */
async function jwsOf({ key, account }: Signer, about: { url: string; nonce: string }, payload: Json | undefined) {
  const bytes = payload === undefined ? new Uint8Array() : Buffer.from(JSON.stringify(payload))
  const who = account === undefined ? { jwk: publicJwk(key) } : { kid: account }
  const signed = await new FlattenedSign(bytes).setProtectedHeader({ alg: 'ES256', ...about, ...who }).sign(key)
  return JSON.stringify(signed)
}

/** The public part of an ECDSA key, in the form of RFC 7517. */
export function publicJwk(key: KeyObject): { kty: string; crv: string; x: string; y: string } {
  const { kty = '', crv = '', x = '', y = '' } = key.export({ format: 'jwk' })
  return { kty, crv, x, y }
}

function directoryOf(server: string, fields: Fields): AcmeDirectory {
  const meta = isFields(fields.meta) ? fields.meta : {}
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)
  return {
    newNonce: textOf(server, fields, 'newNonce'),
    newAccount: textOf(server, fields, 'newAccount'),
    newOrder: textOf(server, fields, 'newOrder'),
    renewalInfo: text(fields.renewalInfo),
    terms: text(meta.termsOfService),
    profiles: isFields(meta.profiles) ? Object.keys(meta.profiles) : undefined,
    needsBinding: meta.externalAccountRequired === true,
  }
}
