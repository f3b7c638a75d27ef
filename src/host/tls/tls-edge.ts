import { AsyncLocalStorage } from 'node:async_hooks'
import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { createServer, type SecureContext, type TLSSocket } from 'node:tls'
import { type Clock, type Log, PelagoError } from '#kernel'
import type { Identity } from '#trust'
import { noTlsMeter, type TlsMeter, type TlsRefusal } from '../observe/tls-metrics.ts'
import type { CertificateSource } from './credentials.ts'

/** Who is at the other end, as its certificate says. `pin` is that of its key (`pinOf` of `#trust`). */
export type Peer = Identity & { pin: string }

/**
 * How a listener speaks TLS. It goes into `Listen.tls` of `openHttpServer`, `openS3Server`, `openApiServer` and
 * `openShardServer`; nothing else changes there:
 *
 *     openS3Server(ports, { ...config.s3, tls: { source, oldest: 'TLSv1.2' } }, limits)
 */
export type TlsListen = {
  /** What is shown to whoever connects. After a change new connections get the new one; others go on as they are. */
  source: CertificateSource
  /** The oldest version of TLS that is spoken; 1.3 if not given, which is what roles speak to each other. */
  oldest?: 'TLSv1.2' | 'TLSv1.3'
  /**
   * Another certificate, or another protocol than HTTP, for some of those who ask: by the name that they ask for (SNI) and the
   * protocols that they offer (ALPN, empty where they offer none). A connection with another protocol than `http/1.1` is over
   * once its handshake is, which is all that tls-alpn-01 (RFC 8737) wants. The protocols are known for TLS 1.3 only.
   * @returns undefined for the usual
   */
  select?(asked: { name: string; protocols: readonly string[] }): Selected | undefined
  /**
   * Looks at who calls, before a byte of HTTP is read. Without, nobody is asked for a certificate.
   * @param certificate undefined where none was shown; that its key is there is proved
   * @throws why he is refused; its code counts in the metrics, its message is logged
   */
  judge?(certificate: X509Certificate | undefined): Peer
}
export type Selected = { context: SecureContext; protocol?: string }

export type TlsEdge = {
  /**
   * Has the handshake with somebody who has just connected. Whoever fails is told nothing but the alert of TLS; why is logged.
   * @param raw paused since it was accepted; destroyed where there is no room or time for him
   * @param secured called when all is well. The socket ends with `raw`
   */
  shake(raw: Socket, secured: (socket: TLSSocket, peer: Peer | undefined) => void): void
  /** Ends the handshakes that are under way. */
  close(): void
}

/** From the first byte to the last one of a handshake, milliseconds. */
const handshakeMs = 5000
/** Handshakes at the same time; who comes beyond that is turned away. Each costs a signature and some memory. */
const pendingMost = 128
/** Tickets for shorter handshakes are good for so long, seconds; their keys live in memory, and change with the certificate. */
const ticketSeconds = 600
/** Of the same refusal, so many lines are written per minute: who scans ports must not fill the disk. */
const linesMost = 10
const minuteMs = 60_000
const http = 'http/1.1'

type Shake = {
  address: string
  /** What `select` said to the protocols, until the certificate is wanted. */
  selected?: Selected | undefined
  done(socket: TLSSocket): void
  refuse(why: TlsRefusal, says: string): void
}

/**
 * Opens the server's side of TLS. It listens nowhere itself: connections are handed to it, so that what bounds them stays
 * where it is.
 * @param most.handshakeMs, most.pending where other bounds than the usual ones are wanted
 */
export function openTlsEdge(
  ports: { clock: Clock; log: Log; meter?: TlsMeter | undefined },
  listen: TlsListen,
  most: { handshakeMs?: number; pending?: number } = {},
): TlsEdge {
  const { meter = noTlsMeter } = ports
  const current = new AsyncLocalStorage<Shake>()
  const say = limitedLog(ports)
  const pending = new Set<Socket>()
  const contextOf = () => ({
    ...listen.source.current(),
    minVersion: listen.oldest ?? ('TLSv1.3' as const),
    sessionTimeout: ticketSeconds,
  })
  const select = (asked: { name: string; protocols: readonly string[] }) => {
    const shake = current.getStore()
    const selected = listen.select?.(asked)
    if (shake) shake.selected = selected
    return selected
  }
  const server = createServer({
    ...contextOf(),
    handshakeTimeout: most.handshakeMs ?? handshakeMs,
    requestCert: listen.judge !== undefined,
    // Judged here and not by OpenSSL alone, which would cut the connection without a word about why.
    rejectUnauthorized: false,
    ALPNCallback({ servername, protocols }) {
      const protocol = select({ name: servername, protocols })?.protocol ?? http
      return protocols.includes(protocol) ? protocol : undefined
    },
    SNICallback(name, found) {
      const selected = current.getStore()?.selected ?? listen.select?.({ name, protocols: [] })
      found(null, selected?.context)
    },
  })
  server.on('secureConnection', (socket) => current.getStore()?.done(socket))
  server.on('tlsClientError', (error: NodeJS.ErrnoException) => {
    const { why, says } = refusalOf(error)
    current.getStore()?.refuse(why, says)
  })
  const forget = listen.source.onChange(() => {
    try {
      server.setSecureContext(contextOf())
    } catch (error) {
      // What was shown before still works, so it goes on being shown.
      ports.log('error', 'tls.unchanged', { reason: error instanceof Error ? error.message : String(error) })
    }
  })

  return {
    shake(raw, secured) {
      const address = raw.remoteAddress ?? ''
      let open = true
      const over = () => {
        if (!open) return false
        open = false
        pending.delete(raw)
        meter.pending(pending.size)
        cancel()
        return true
      }
      const refuse = (why: TlsRefusal, says: string) => {
        if (!over()) return
        meter.refused(why)
        // Who looks whether something listens, and leaves, is no news.
        if (why !== 'left') say(why, { from: address, reason: says })
        raw.destroy()
      }
      const done = (socket: TLSSocket) => {
        if (!over()) return void socket.destroy()
        if (socket.alpnProtocol !== false && socket.alpnProtocol !== null && socket.alpnProtocol !== http) {
          socket.on('error', () => 'he has had what he came for')
          return void socket.end()
        }
        socket.allowHalfOpen = true
        try {
          const peer = listen.judge?.(socket.getPeerX509Certificate())
          meter.secured(socket.isSessionReused())
          current.exit(() => secured(socket, peer))
        } catch (error) {
          const code = error instanceof PelagoError ? error.code : ''
          const why = meter.known(code.replace(/^tls\./, ''))
          meter.refused(why)
          say(why, { from: address, reason: error instanceof Error ? error.message : String(error) })
          socket.destroy()
        }
      }
      pending.add(raw)
      meter.pending(pending.size)
      const cancel = ports.clock.after(most.handshakeMs ?? handshakeMs, () => refuse('slow', 'it took too long'))
      raw.once('close', () => refuse('left', 'it left'))
      if (pending.size > (most.pending ?? pendingMost)) return refuse('many', 'too many connect at the same time')
      // Who hangs up in the middle of a handshake has left; behind it he may still wait for an answer.
      raw.allowHalfOpen = false
      current.run({ address, done, refuse }, () => void server.emit('connection', raw))
    },
    close() {
      forget()
      for (const raw of pending) raw.destroy()
    },
  }
}

const older = /UNSUPPORTED_PROTOCOL|WRONG_VERSION|PROTOCOL_VERSION|VERSION_TOO_LOW/
const distrust = /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_\w+|UNSUPPORTED_CERTIFICATE)/

/** What OpenSSL says, in our words. */
function refusalOf(error: NodeJS.ErrnoException): { why: TlsRefusal; says: string } {
  const code = error.code ?? ''
  if (code === 'ECONNRESET' || code === 'EPIPE') return { why: 'left', says: 'it left in the middle of the handshake' }
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return { why: 'slow', says: 'it took too long' }
  if (code === 'ERR_SSL_HTTP_REQUEST') return { why: 'plain', says: 'it speaks plain HTTP; use https' }
  if (older.test(code)) return { why: 'version', says: 'it speaks an older TLS than is accepted, or none' }
  if (/NO_APPLICATION_PROTOCOL/.test(code)) return { why: 'protocol', says: 'it does not offer HTTP/1.1' }
  if (distrust.test(code)) return { why: 'distrust', says: 'it does not believe the certificate that it was shown' }
  return { why: 'other', says: code === '' ? error.message : code }
}

/** Writes a line per refusal, and of many equal ones how many there were. */
function limitedLog({ clock, log }: { clock: Clock; log: Log }) {
  const counts = new Map<TlsRefusal, { since: number; lines: number; unsaid: number }>()
  return (why: TlsRefusal, facts: Record<string, string>) => {
    const now = clock.now()
    let count = counts.get(why)
    if (!count || now - count.since >= minuteMs || now < count.since) {
      const { unsaid = 0 } = count ?? {}
      count = { since: now, lines: 0, unsaid: 0 }
      counts.set(why, count)
      if (unsaid > 0) log('warn', 'tls.refused', { why, unsaid })
    }
    if (count.lines < linesMost) log('warn', 'tls.refused', { why, ...facts })
    else count.unsaid++
    count.lines++
  }
}
