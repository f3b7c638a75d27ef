import type { Clock, Log } from '#kernel'
import type { SelfReport } from '../observe/self-report.ts'
import { type HttpServer, openHttpServer } from './http-server.ts'
import type { Listen } from './listen.ts'

const limits = { connectionsMost: 32, silentMs: 10_000, idleMs: 65_000, closeMs: 500, headMost: 8192, direct: false }

/** Serves what a role says about itself, and nothing else, to this machine. */
export function openReportServer(
  ports: { clock: Clock; log: Log },
  listen: Listen,
  report: SelfReport,
): Promise<HttpServer> {
  return openHttpServer(ports, listen, {
    ...limits,
    async handle({ method, target, address, headers, answer }) {
      const missing = { status: 404, type: 'text/plain', body: 'There are /healthz, /readyz and /metrics.\n' }
      const { status, type, body } = (await report.answer({ method, path: target, address, headers })) ?? missing
      const bytes = Buffer.from(body)
      answer(status, { 'content-type': type, 'content-length': bytes.length }, bytes)
    },
  })
}
