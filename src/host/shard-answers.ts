import type { IncomingMessage, ServerResponse } from 'node:http'
import { hasCode, type Log, PelagoError } from '#kernel'

/** How long a refused sender may go on before its connection is cut. */
const lingerMs = 2000

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length })
  response.end(bytes)
}

const statusOf: Record<string, number> = {
  'shard.denied': 403,
  'shard.missing': 404,
  'shard.exists': 409,
  'shard.range': 416,
  'shard.full': 507,
  'body.short': 400,
  'body.long': 400,
}

/**
 * Says why a request was refused. What is left of its body is thrown away for a moment rather than cutting the connection
 * at once: that would take the answer away from a sender that has not read it yet.
 */
export function refuse(log: Log, request: IncomingMessage, response: ServerResponse, error: unknown): void {
  const known = error instanceof PelagoError
  const status = (known ? statusOf[error.code] : undefined) ?? 500
  if (response.destroyed) return
  if (status === 500) log('error', 'node.failed', { reason: error instanceof Error ? error.message : '' })
  if (hasCode(error, 'shard.denied')) log('warn', 'shard.denied', { reason: error.message })
  if (response.headersSent) {
    response.destroy()
    return
  }
  sendJson(response, status, {
    code: known ? error.code : 'node.failed',
    message: known ? error.message : 'The provider failed; its log says why.',
  })
  if (request.complete) return
  request.resume()
  const cut = setTimeout(() => request.destroy(), lingerMs)
  request.once('close', () => clearTimeout(cut))
}
