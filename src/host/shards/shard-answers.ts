import { hasCode, type Log, PelagoError } from '#kernel'
import type { Exchange } from '../http/http-connection.ts'

export function sendJson(exchange: Exchange, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body))
  exchange.answer(status, { 'content-type': 'application/json', 'content-length': bytes.length }, bytes)
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

/** Says why a request was refused. */
export function refuse(log: Log, exchange: Exchange, error: unknown): void {
  const known = error instanceof PelagoError
  const status = (known ? statusOf[error.code] : undefined) ?? 500
  if (exchange.left.aborted) return
  if (status === 500) log('error', 'node.failed', { reason: error instanceof Error ? error.message : '' })
  if (hasCode(error, 'shard.denied')) log('warn', 'shard.denied', { reason: error.message })
  if (exchange.answered()) return exchange.cut()
  sendJson(exchange, status, {
    code: known ? error.code : 'node.failed',
    message: known ? error.message : 'The provider failed; its log says why.',
  })
}
