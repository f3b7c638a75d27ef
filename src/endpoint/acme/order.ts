import { createPrivateKey } from 'node:crypto'
import { PelagoError, type Json } from '#kernel'
import { checkFence, type Fence } from '#work'
import { type Certificate, judgeCertificate } from '../certificate.ts'
import { type ChallengeAnswer, type ChallengeKind, putAnswer } from '../certificates.store.ts'
import { endpointError } from '../errors.ts'
import { pemOf } from '../make-own.ts'
import type { AcmePorts } from '../ports.ts'
import type { AcmeConfig } from '../wanted.ts'
import { type Fields, fieldsOf, isFields, listOf, problemOf, retryAfterMs, strange, textOf } from './answer.ts'
import { certificateRequest } from './certificate-request.ts'
import { keyAuthorization } from './challenge.ts'
import { certificateName } from './renewal-info.ts'
import type { AcmeServer, Signer } from './server.ts'

/** An order that is under way. It lies with the job, so whichever gateway goes on with it knows all there is to know. */
export type Order = {
  url: string
  finalize: string
  /** The certificate's private key, sealed, base64. */
  sealed: string
  begunAt: number
  /** From when on every gateway has the answers, so that the authority may look; 0 before they were written down. */
  tellAt: number
}

export type OrderPorts = AcmePorts & { server: AcmeServer; signer: Signer; config: AcmeConfig }

/** What has come of a look at an order: it goes on after a rest, or here is the certificate. */
export type OrderStep = { order: Order; restMs: number; says: string } | { certificate: Certificate }

/** Gateways look for answers this often, milliseconds; see `watchShared` of the host. */
export const lookMs = 2000
/** So long after the answers were written down every gateway that lives has them. */
const spreadMs = 2 * lookMs + 500
/** How often the authority is asked when it does not say, and how seldom at the most. */
const pollMs = 1000
const pollMostMs = 60_000
/** An order that takes longer is given up, minutes. */
const orderMinutes = 60

const keyPurpose = (url: string) => `key of the order ${url}`

/**
 * Places an order (RFC 8555 section 7.4).
 * @param replaced the chain that the new certificate follows (RFC 9773 section 5)
 * @throws acme.profile, and what `post` throws
 */
export async function placeOrder(
  ports: OrderPorts,
  names: readonly string[],
  replaced: string | undefined,
): Promise<Order> {
  const { clock, config, sealer, server, signer } = ports
  const { newOrder, profiles = [], renewalInfo } = await server.directory()
  const { profile } = config
  if (profile !== undefined && !profiles.includes(profile))
    throw endpointError('acme.profile', { server: server.name, profile, known: profiles.join(', ') || 'none' })
  const wish: Record<string, Json> = {
    identifiers: names.map((value) => ({ type: 'dns', value })),
    ...(profile !== undefined && { profile }),
  }
  const replaces = replaced !== undefined && renewalInfo !== undefined ? await certificateName(replaced) : undefined
  const answer = await server
    .post(newOrder, { ...wish, ...(replaces !== undefined && { replaces }) }, signer)
    .catch((error: unknown) => {
      // Not every authority takes that the last one is replaced twice, or was another account's. It only spares limits.
      const refused = error instanceof PelagoError && error.code === 'acme.refused'
      if (replaces === undefined || !refused) throw error
      return server.post(newOrder, wish, signer)
    })
  const url = answer.headers.location
  if (url === undefined) throw strange(server.name, 'it does not name the order')
  const sealed = sealer.seal(keyPurpose(url), pemOf(ports.newKey()))
  return {
    url,
    finalize: textOf(server.name, fieldsOf(server.name, answer), 'finalize'),
    sealed: Buffer.from(sealed).toString('base64'),
    begunAt: clock.now(),
    tellAt: 0,
  }
}

/**
 * Looks how an order stands and does what is next. May be done again after a crash: the authority knows what was done.
 * @throws acme.challenge, acme.order, acme.slow, acme.foreign, acme.unprovable, work.fenced, and what `post` throws
 */
export async function goOnWithOrder(
  ports: OrderPorts,
  fence: Fence,
  names: readonly string[],
  order: Order,
): Promise<OrderStep> {
  const { clock, server, signer } = ports
  if (clock.now() - order.begunAt > orderMinutes * 60_000)
    throw endpointError('acme.slow', { server: server.name, minutes: orderMinutes })
  const answer = await server.post(order.url, undefined, signer)
  const state = fieldsOf(server.name, answer)
  const restMs = Math.min(retryAfterMs(answer, clock.now()) ?? pollMs, pollMostMs)
  switch (state.status) {
    case 'pending':
      return prove(ports, fence, order, state, restMs)
    case 'ready': {
      const csr = await certificateRequest(createPrivateKey(orderKey(ports, order)), names)
      await server.post(order.finalize, { csr }, signer)
      return { order, restMs: 0, says: `${server.name} was asked to issue the certificate.` }
    }
    case 'processing':
      return { order, restMs, says: `${server.name} issues the certificate.` }
    case 'valid':
      return { certificate: await download(ports, names, order, textOf(server.name, state, 'certificate')) }
    case 'invalid':
      // The order says less than the name that was not proved.
      for (const url of authorizationsOf(server, state)) refuseInvalid(ports, await authorizationAt(ports, url))
      throw endpointError('acme.order', { server: server.name, ...problemOf(state.error) })
    default:
      throw strange(server.name, 'its order has no known status')
  }
}

type Authorization = { host: string; status: unknown; challenges: Fields[] }

/** First all answers are written down for every gateway; when they all have them, the authority is told to look. */
async function prove(ports: OrderPorts, fence: Fence, order: Order, state: Fields, restMs: number): Promise<OrderStep> {
  const { clock, database, server, signer } = ports
  const authorizations: Authorization[] = []
  for (const url of authorizationsOf(server, state)) authorizations.push(await authorizationAt(ports, url))
  const open = authorizations.filter(({ status }) => status === 'pending')
  for (const authorization of authorizations) refuseInvalid(ports, authorization)
  if (order.tellAt === 0 && open.length > 0) {
    const answers: ChallengeAnswer[] = []
    for (const one of open) answers.push(await answerFor(ports, one))
    const until = order.begunAt + orderMinutes * 60_000
    await database.transact(function* () {
      yield* checkFence(fence)
      for (const answer of answers) yield* putAnswer(answer, until)
    })
    const told = { ...order, tellAt: clock.now() + spreadMs }
    return { order: told, restMs: spreadMs, says: 'The gateways learn what to answer.' }
  }
  // Whoever hastens the job, or takes it over, does not hasten the other gateways.
  const early = order.tellAt - clock.now()
  if (early > 0) return { order, restMs: early, says: 'The gateways learn what to answer.' }
  for (const one of open) {
    const challenge = challengeOf(ports, one)
    // One that the authority looks at already has another status.
    if (challenge.status === 'pending') await server.post(textOf(server.name, challenge, 'url'), {}, signer)
  }
  return { order, restMs: Math.max(restMs, pollMs), says: `${server.name} looks whether the names lead here.` }
}

function authorizationsOf({ name }: AcmeServer, { authorizations }: Fields): string[] {
  if (Array.isArray(authorizations) && authorizations.every((url) => typeof url === 'string')) return authorizations
  throw strange(name, 'its order has no authorizations')
}

async function authorizationAt({ server, signer }: OrderPorts, url: string): Promise<Authorization> {
  const fields = fieldsOf(server.name, await server.post(url, undefined, signer))
  const identifier = isFields(fields.identifier) ? fields.identifier : {}
  return {
    host: textOf(server.name, identifier, 'value'),
    status: fields.status,
    challenges: listOf(server.name, fields, 'challenges'),
  }
}

/** @throws acme.challenge for a name that was not proved */
function refuseInvalid({ server }: OrderPorts, { host, status, challenges }: Authorization): void {
  if (status !== 'invalid' && status !== 'expired' && status !== 'revoked' && status !== 'deactivated') return
  const failed = challenges.find((challenge) => challenge.error !== undefined)
  const challenge = typeof failed?.type === 'string' ? failed.type : 'no challenge'
  const { type, detail } = problemOf(failed?.error ?? { detail: `its authorization is ${status}` })
  const port = challenge === 'http-01' ? 80 : 443
  throw endpointError('acme.challenge', { server: server.name, host, challenge, type, detail, port })
}

/** @throws acme.unprovable */
function challengeOf(
  { config, server }: OrderPorts,
  { host, challenges }: Authorization,
): Fields & { type: ChallengeKind } {
  for (const type of config.challenges) {
    const found = challenges.find((challenge) => challenge.type === type)
    if (found) return { ...found, type }
  }
  const offered = challenges.map(({ type }) => String(type)).join(', ')
  throw endpointError('acme.unprovable', { server: server.name, host, offered, answered: config.challenges.join(', ') })
}

async function answerFor(ports: OrderPorts, authorization: Authorization): Promise<ChallengeAnswer> {
  const challenge = challengeOf(ports, authorization)
  const token = textOf(ports.server.name, challenge, 'token')
  // What is not of this form could lead out of the path under which it is asked for (RFC 8555 section 8.3).
  if (!/^[A-Za-z0-9_-]{1,500}$/.test(token)) throw strange(ports.server.name, 'a token is no base64url')
  const answer = await keyAuthorization(token, ports.signer.key)
  return { host: authorization.host, kind: challenge.type, token, answer }
}

async function download(ports: OrderPorts, names: readonly string[], order: Order, url: string): Promise<Certificate> {
  const { clock, server, signer } = ports
  const { body } = await server.post(url, undefined, signer, 'application/pem-certificate-chain')
  const certificate = { chain: Buffer.from(body).toString('latin1'), key: orderKey(ports, order) }
  try {
    judgeCertificate(certificate, names, clock.now())
  } catch (error) {
    if (!(error instanceof PelagoError)) throw error
    throw endpointError('acme.foreign', { server: server.name, reason: error.message }, error)
  }
  return certificate
}

const orderKey = ({ sealer }: OrderPorts, { url, sealed }: Order) =>
  sealer.open(keyPurpose(url), Buffer.from(sealed, 'base64'))
