import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SecureContext } from 'node:tls'
import {
  type ChallengeAnswer,
  certificateId,
  certificateJob,
  challengeProtocol,
  ensureOwn,
  hastenCertificate,
  openSealer,
  uncoveredBy,
} from '#endpoint'
import type { Journal } from '#journal'
import type { Clock, Database, Log, Metrics, Random } from '#kernel'
import type { JobKind } from '#work'
import { writePublic } from '../disk/write-file.ts'
import { openEgress } from '../http/egress.ts'
import { watchCertificate } from '../observe/certificate-metrics.ts'
import type { Check } from '../observe/self-report.ts'
import {
  authorityFile,
  type CertificateConfig,
  type EndpointConfig,
  hostnamesOf,
} from '../run/certificate-configuration.ts'
import { wantedOf } from './wanted-of.ts'
import { programVersion } from '../run/program-version.ts'
import type { TlsListen } from '../tls/tls-edge.ts'
import { certificateCheck } from './certificate-check.ts'
import type { ChangingCertificate } from './certificate-state.ts'
import { openChallengeContexts } from './challenge-contexts.ts'
import { openGivenCertificate, readGiven } from './given-certificate.ts'
import { openHttpChallenge } from './http-challenge.ts'
import { openSharedCertificate } from './shared-certificate.ts'

export type EndpointCertificatePorts = {
  clock: Clock
  random: Random
  log: Log
  metrics: Metrics
  /** The index, in which gateways share what is made or ordered. */
  database: Database
  journal: Journal
  /** Of the key store, under which private keys lie in the index. */
  secret(name: string): Promise<Uint8Array>
}

/** What a gateway's endpoints show, wherever it comes from. */
export type EndpointCertificate = {
  /** For `Listen.tls`; undefined where the endpoints are plain, which is on loopback only. */
  tls: TlsListen | undefined
  /** Work that makes or orders the next one. */
  jobs: JobKind[]
  /** For `/readyz`. */
  checks(): Check[]
  close(): Promise<void>
}

type Config = EndpointConfig & { folder: string; egress?: { origins: readonly string[] } }

/**
 * Opens the certificate that a configuration asks for.
 * @throws endpoint errors for one that clients would refuse, file.missing, port errors for the listener of http-01
 */
export async function openEndpointCertificate(
  ports: EndpointCertificatePorts,
  config: Config,
): Promise<EndpointCertificate> {
  const { certificate } = config
  if (!certificate) {
    watchCertificate(ports.metrics, () => ({ facts: undefined, trouble: '' }))
    return { tls: undefined, jobs: [], checks: () => [], close: async () => undefined }
  }
  if (certificate.kind !== 'given') return openMade(ports, config, certificate)
  const shown = openGivenCertificate(ports, filesOf(certificate), hostnamesOf(config))
  sayUncovered(ports.log, shown, config)
  return edgeOf(ports, shown, { jobs: [], close: async () => shown.close() })
}

/**
 * Looks at a given certificate before anything else is opened.
 * @param now milliseconds since 1970
 * @throws endpoint errors, file.missing
 */
export function checkGiven(config: EndpointConfig, now: number): void {
  const { certificate } = config
  if (certificate?.kind === 'given') readGiven(filesOf(certificate), hostnamesOf(config), now)
}

const filesOf = ({ certificateFile = '', keyFile = '' }: CertificateConfig) => ({ certificateFile, keyFile })

async function openMade(
  ports: EndpointCertificatePorts,
  config: Config,
  certificate: CertificateConfig,
): Promise<EndpointCertificate> {
  const { clock, log, random } = ports
  const wanted = wantedOf(config)
  if (!wanted) throw new TypeError('a given certificate is not made')
  const sealer = await openSealer(ports.secret, random)
  const origins = [...(config.egress?.origins ?? []), ...(wanted.acme ? [new URL(wanted.acme.directory).origin] : [])]
  const ca = certificate.directoryCaFile === undefined ? undefined : readFileSync(certificate.directoryCaFile, 'utf8')
  const egress = openEgress({ origins, ...(ca !== undefined && { ca }) })
  const endpoint = { ...ports, sealer, newKey, egress, agent: `pelago/${programVersion()}` }
  if (!wanted.acme) {
    const file = join(config.folder, authorityFile)
    writePublic(file, await ensureOwn(endpoint, wanted))
    log('info', 'certificate.authority', { file, says: 'Clients of the S3 endpoint trust this file.' })
  }
  await hastenCertificate(endpoint, wanted)
  const contexts = openChallengeContexts({ clock, random, newKey })
  let answers: readonly ChallengeAnswer[] = []
  const shown = await openSharedCertificate(endpoint, certificateId(wanted), async (found) => {
    answers = found
    await contexts.keep(found)
  })
  const { http } = certificate
  try {
    const answer = (token: string) => answers.find((one) => one.kind === 'http-01' && one.token === token)
    const listener =
      http &&
      (await openHttpChallenge(
        { ...http, shared: config.s3.shared ?? false },
        { answer, hostnames: hostnamesOf(config), port: config.s3.port },
      ))
    return edgeOf(ports, shown, {
      jobs: [certificateJob(endpoint, wanted)],
      select: (host) => contexts.of(host),
      async close() {
        shown.close()
        await listener?.close()
      },
    })
  } catch (error) {
    shown.close()
    throw error
  }
}

/** A key of a certificate; those of ACME accounts and orders are of the same kind. */
const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

function edgeOf(
  { clock, metrics }: EndpointCertificatePorts,
  shown: ChangingCertificate,
  rest: {
    jobs: JobKind[]
    close(): Promise<void>
    /** What is shown to an authority that asks by tls-alpn-01. */
    select?(host: string): SecureContext | undefined
  },
): EndpointCertificate {
  watchCertificate(metrics, shown.state)
  const { select, ...others } = rest
  return {
    ...others,
    checks: () => [certificateCheck(shown.state(), clock.now())],
    tls: {
      source: shown.source,
      // S3 clients are older than Pelago: what is common and sound is enough for them.
      oldest: 'TLSv1.2',
      ...(select && {
        select({ name, protocols }) {
          const context = protocols.includes(challengeProtocol) ? select(name) : undefined
          return context && { context, protocol: challengeProtocol }
        },
      }),
    },
  }
}

/** Buckets as names below a host's need a certificate for these too; path-style works without. */
function sayUncovered(log: Log, shown: ChangingCertificate, config: EndpointConfig): void {
  const below = config.s3.hostnames.map((name) => `*.${name}`)
  const missing = uncoveredBy(shown.certificate()?.chain ?? '', below)
  if (missing.length > 0)
    log('info', 'certificate.path-style', { names: missing.join(', '), says: 'Buckets are reached path-style only.' })
}
