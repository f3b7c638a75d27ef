import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { getConsole } from '#api'
import { openClient } from '#client'
import { type Handler, handles } from '#roles'
import { systemClock } from '../clock.ts'
import { demoOperations } from '../demo/demo-operations.ts'
import { hostError } from '../errors.ts'
import { openRandom } from '../random.ts'
import type { GatewayConfig } from './configuration.ts'
import { programVersion } from './program-version.ts'

/** Where the console's build lies in the program. */
export const consoleFolder = join(import.meta.dirname, '..', '..', '..', 'console', 'dist')

const supervisorMs = 60_000

type Facts = Pick<GatewayConfig, 's3' | 'supervisor' | 'certificate'>

/** What the gateway's pages ask beside what everybody asks. */
export function consoleOperations(config: Facts): Handler[] {
  const facts = {
    version: programVersion(),
    demo: config.supervisor !== undefined,
    s3: s3Origin(config),
    region: config.s3.region,
  }
  return [
    handles(getConsole, () => facts),
    ...(config.supervisor ? demoOperations(supervisorOf(config.supervisor)) : []),
  ]
}

/** Where browsers reach the S3 endpoint. */
export function s3Origin({ s3: { host, port, hostnames }, certificate }: Facts): string {
  // A certificate is for names; without one there is only this machine.
  if (certificate && hostnames[0] !== undefined) return `https://${hostnames[0]}${port === 443 ? '' : `:${port}`}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function supervisorOf({ url, tokenFile }: NonNullable<GatewayConfig['supervisor']>) {
  return openClient({
    clock: systemClock,
    random: openRandom(),
    async send({ method, path, headers, body, signal }) {
      const limit = AbortSignal.timeout(supervisorMs)
      const answer = await fetch(url + path, {
        method,
        headers: { ...headers, authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}` },
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
        ...(body !== undefined && { body }),
      }).catch((error: unknown) => {
        throw hostError('connect.refused', { url }, error)
      })
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() }
    },
    stream: () => Promise.reject(hostError('connect.refused', { url })),
  })
}
