import type { X509Certificate } from 'node:crypto'
import { Agent, type AgentOptions } from 'node:http'
import type { OnReadOpts } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import type { Clock } from '#kernel'
import { checkCertificate, trustError, type TrustRole } from '#trust'
import type { CertificateSource } from './credentials.ts'

/** Whom a role calls, and what it shows itself. */
export type LinkTo = {
  /** What the caller shows; nothing if not given. */
  source?: CertificateSource | undefined
  /** The federation's authority. */
  authority(): X509Certificate
  role: TrustRole
  id: string
  /** SHA-256 of the key that was enrolled, hex; any key that the authority certified if not given. */
  pin?: string | undefined
  /** The other side in words, for errors. */
  peer: string
}

/** How connections to one other side are made. */
export type TlsLink = {
  /**
   * Begins a connection. What is written to it goes out once the handshake is done and the other side is judged; one that is not
   * who is expected gets nothing, and the socket's error says why (`tls.…` of `#trust`).
   */
  connect(to: { host: string; port: number; onread?: OnReadOpts }): TLSSocket
}

/** A connection that is not made within this, its handshake included, is given up, milliseconds. */
const connectMs = 5000

/** Opens the caller's side of TLS 1.3. Sessions are kept, so that another connection costs no certificates. */
export function openTlsLink({ clock }: { clock: Clock }, to: LinkTo): TlsLink {
  /** Of the last connection, with the certificate that was judged then: a session is taken up again without showing it. */
  let session: { ticket: Buffer; shown: X509Certificate } | undefined
  let context: { cert: string } | undefined
  return {
    connect({ host, port, onread }) {
      const own = to.source?.current()
      // What was agreed under another certificate would show that one again.
      if (own?.cert !== context?.cert) session = undefined
      context = own
      const socket = connect({
        ...{ host, port, noDelay: true, minVersion: 'TLSv1.3', ALPNProtocols: ['http/1.1'] },
        ...(onread && { onread }),
        ...own,
        ca: to.authority().toString(),
        ...(session && { session: session.ticket }),
        // Judged below, also where a session is taken up again, and with the reason: in the same turn, before anything is sent.
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
      })
      const cancel = clock.after(connectMs, () => socket.destroy(new Error('the connection was not made in time')))
      socket.once('close', cancel)
      const before = session?.shown
      let judged: X509Certificate | undefined
      socket.prependOnceListener('secureConnect', () => {
        try {
          const { authority, source: _, ...expected } = to
          const shown = socket.isSessionReused() ? before : socket.getPeerX509Certificate()
          checkCertificate(shown, {
            ...{ authority: authority(), now: clock.now(), role: expected.role, id: expected.id, peer: expected.peer },
            ...(expected.pin !== undefined && { pin: expected.pin }),
          })
          if (!socket.authorized)
            throw trustError('tls.authority', { peer: to.peer, reason: String(socket.authorizationError) })
          judged = shown
          cancel()
        } catch (error) {
          session = undefined
          socket.destroy(error instanceof Error ? error : new Error(String(error)))
        }
      })
      socket.on('session', (ticket: Buffer) => {
        if (judged) session = { ticket, shown: judged }
      })
      return socket
    },
  }
}

/** An agent of `node:http` whose connections go over a link: requests are made with `node:http`, as there is no other protocol. */
export function openLinkAgent(link: TlsLink, options: AgentOptions): Agent {
  return new LinkAgent(link, options)
}

class LinkAgent extends Agent {
  readonly #link: TlsLink

  constructor(link: TlsLink, options: AgentOptions) {
    super(options)
    this.#link = link
  }

  override createConnection({ host, port }: { host?: string | null; port?: number | string | null }): TLSSocket {
    return this.#link.connect({ host: host ?? '', port: Number(port) })
  }
}

/** Why a connection by TLS failed, in words. */
export function linkReason(error: NodeJS.ErrnoException): string {
  // Where something was written before the handshake, its failure comes as that of the write.
  const said = `${error.code} ${error.message}`
  if (/wrong.version.number|http.request|packet.length.too.long/i.test(said)) return 'it does not speak TLS'
  if (/protocol.version|unsupported.protocol/i.test(said)) return 'it does not speak TLS 1.3'
  return error.message
}
