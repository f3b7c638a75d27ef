import { PelagoError } from '#kernel'
import { certificateOf, renewalAt } from '#trust'
import type { Fence, Job, JobKind, Piece, Progress } from '#work'
import { forgetAccount, openAccount } from './acme/account.ts'
import { goOnWithOrder, type Order, type OrderPorts, placeOrder } from './acme/order.ts'
import { askRenewal, type RenewalInfo } from './acme/renewal-info.ts'
import { type AcmeServer, openAcmeServer } from './acme/server.ts'
import { type Certificate, factsOf } from './certificate.ts'
import { dropAnswers, findCertificate, stateTrouble } from './certificates.store.ts'
import { renewOwn } from './make-own.ts'
import type { AcmePorts } from './ports.ts'
import { putCertificate } from './put-certificate.ts'
import { certificateId, type WantedCertificate } from './wanted.ts'

/** The name of the job, which is also its id. */
export const certificateJobName = 'endpoint.certificate'

/** How often is looked whether it is time, milliseconds. */
const everyMs = 60_000
/** After a failure: authorities count failed orders, five of one name in an hour at the best known one. */
const failedFirstMs = 5 * 60_000
const failedMostMs = 12 * 60 * 60_000
/** After the authority could not be reached, or could not answer. */
const silentFirstMs = 30_000
const silentMostMs = 60 * 60_000

/** An authority that did not say when to renew is asked again after this. */
const unansweredMs = 6 * 60 * 60_000

/** How far the job is. */
type Cursor = {
  /** For which certificate; what belongs to another one is forgotten. */
  id: string
  order?: Order
  /** Tries that failed one after the other. */
  failures: number
  /** When the certificate of this digest is to be renewed; asked again at `askAgainAt`. */
  renewal?: { digest: string; at: number; askAgainAt: number }
}

/**
 * The work of having a certificate: makes or orders the first one and each that follows. It lies in the index, so of several
 * gateways one does it, and another goes on where that one died. What fails is stated for all of them and tried again later.
 */
export function certificateJob(ports: AcmePorts, wanted: WantedCertificate): JobKind {
  const id = certificateId(wanted)
  const { clock, database, log } = ports
  const authority = wanted.acme && { config: wanted.acme, server: openAcmeServer(ports, wanted.acme.directory) }
  return {
    name: certificateJobName,
    everyMs,
    mend: 'Mend what it says, then do not wait: pelago job retry endpoint.certificate',
    async step(job, fence, signal) {
      const cursor = cursorOf(job, id)
      try {
        const held = await database.read(() => findCertificate(id))
        const chain = held?.chain || undefined
        const { order } = cursor
        if (order && authority)
          return await goOn(await orderPorts(ports, authority), wanted, fence, { ...cursor, order })
        const { at, cursor: known } = await dueAt(ports, authority?.server, chain, cursor)
        const now = clock.now()
        if (now < at) return rest(known, Math.min(at - now, everyMs), untilText(chain, at))
        if (authority) return await begin(await orderPorts(ports, authority), wanted, chain, known)
        return take(ports, wanted, await renewOwn(ports, wanted))
      } catch (error) {
        if (signal.aborted || !isTheirs(error)) throw error
        log('warn', 'certificate.missed', { reason: error.message, failures: cursor.failures + 1 })
        return missed(ports, id, cursor, error)
      }
    },
  }
}

async function orderPorts(ports: AcmePorts, authority: Pick<OrderPorts, 'config' | 'server'>): Promise<OrderPorts> {
  return { ...ports, ...authority, signer: await openAccount(ports, authority.server, authority.config) }
}

async function begin(
  ports: OrderPorts,
  { names }: WantedCertificate,
  replaced: string | undefined,
  cursor: Cursor,
): Promise<Progress> {
  try {
    const order = await placeOrder(ports, names, replaced)
    return { next: 'more', cursor: { ...cursor, order }, says: `A certificate was ordered at ${ports.server.name}.` }
  } catch (error) {
    await forgetAccount(ports, ports.config.directory, error)
    throw error
  }
}

async function goOn(
  ports: OrderPorts,
  wanted: WantedCertificate,
  fence: Fence,
  cursor: Cursor & { order: Order },
): Promise<Progress | Piece> {
  const step = await goOnWithOrder(ports, fence, wanted.names, cursor.order)
  if ('certificate' in step) return take(ports, wanted, step.certificate)
  const progress = { cursor: { ...cursor, order: step.order }, says: step.says }
  return step.restMs === 0 ? { next: 'more', ...progress } : { next: 'rest', restMs: step.restMs, ...progress }
}

function take(ports: AcmePorts, wanted: WantedCertificate, certificate: Certificate): Piece {
  const id = certificateId(wanted)
  const now = ports.clock.now()
  const by = wanted.acme ? 'acme' : 'self-made'
  const until = factsOf(certificate.chain).notAfter
  return function* () {
    yield* putCertificate(ports, { id, by, ...certificate, now })
    yield* dropAnswers(wanted.names, now)
    return rest({ id, failures: 0 }, everyMs, `There is a new certificate, good until ${day(until)}.`)
  }
}

/** What failed is known to all gateways, and tried again after a pause that grows. */
function missed({ clock }: AcmePorts, id: string, cursor: Cursor, error: PelagoError): Piece {
  const now = clock.now()
  const failures = cursor.failures + 1
  // An order whose authority was not reached is gone on with; one that failed is not.
  const order = isSilence(error) ? cursor.order : undefined
  const stated = typeof error.details.waitMs === 'number' ? error.details.waitMs : 0
  const restMs = Math.max(stated, pauseMs(failures, error))
  return function* () {
    yield* stateTrouble(id, error.message, now)
    const next = { id, failures, ...(order && { order }), ...(cursor.renewal && { renewal: cursor.renewal }) }
    return rest(next, restMs, `${error.message} It is tried again on ${day(now + restMs)}.`)
  }
}

/** How long to wait after so many failures, milliseconds. */
export function pauseMs(failures: number, error: PelagoError): number {
  const [first, most] = isSilence(error) ? [silentFirstMs, silentMostMs] : [failedFirstMs, failedMostMs]
  return Math.min(most, first * 2 ** Math.min(failures - 1, 20))
}

const isSilence = ({ code }: PelagoError) =>
  code.startsWith('egress.') || code === 'acme.busy' || code === 'acme.limited'
/** What an authority or the way to it is to blame for; everything else is the job's usual failure. */
const isTheirs = (error: unknown): error is PelagoError =>
  error instanceof PelagoError && /^(acme|egress|endpoint|authority)\./.test(error.code)

/** When the next certificate is wanted: at once without one; when the authority says so; else with a third of its life left. */
async function dueAt(
  ports: AcmePorts,
  server: AcmeServer | undefined,
  chain: string | undefined,
  cursor: Cursor,
): Promise<{ at: number; cursor: Cursor }> {
  const now = ports.clock.now()
  if (chain === undefined) return { at: now, cursor }
  const { digest, notAfter } = factsOf(chain)
  const before = cursor.renewal?.digest === digest ? cursor.renewal : undefined
  if (before && now < Math.min(before.at, before.askAgainAt)) return { at: before.at, cursor }
  const chance = (ports.random.bytes(1)[0] ?? 0) / 255
  const told = server && (await renewalInfo(ports, server, chain))
  const at = Math.min(timeOf(told, before?.at ?? renewalAt(certificateOf(chain), chance), chance), notAfter)
  const askAgainAt = told?.askAgainAt ?? now + unansweredMs
  return { at, cursor: { ...cursor, renewal: { digest, at, askAgainAt } } }
}

/** Within the window that the authority names, somewhere, so that not all of its customers come at once. */
function timeOf(told: RenewalInfo | undefined, usual: number, chance: number): number {
  if (!told || (usual >= told.start && usual <= told.end)) return usual
  return told.start + (told.end - told.start) * chance
}

/** An authority that cannot be asked now does not keep anybody from renewing at the usual time. */
async function renewalInfo(ports: AcmePorts, server: AcmeServer, chain: string): Promise<RenewalInfo | undefined> {
  try {
    return await askRenewal(server, chain, ports.clock.now())
  } catch (error) {
    if (!isTheirs(error)) throw error
    ports.log('info', 'certificate.unasked', { reason: error.message })
    return undefined
  }
}

function cursorOf({ cursor }: Job, id: string): Cursor {
  const found = cursor as Cursor | null
  return found?.id === id ? found : { id, failures: 0 }
}

function rest(cursor: Cursor, restMs: number, says: string): Progress {
  return { next: 'rest', restMs, cursor, says }
}

const day = (at: number) => new Date(at).toISOString().slice(0, 16).replace('T', ' ').concat(' UTC')

const untilText = (chain: string | undefined, at: number) =>
  chain === undefined
    ? 'There is no certificate yet.'
    : `The certificate is good until ${day(factsOf(chain).notAfter)} and is renewed from ${day(at)} on.`
