import { createHash, timingSafeEqual } from 'node:crypto'
import type { OpenMetrics } from './open-metrics.ts'

/** One thing that a role needs for its work. `warning`: it works, but somebody should look. */
export type Check = { name: string; state: 'good' | 'warning' | 'bad'; says: string }

/** As much of a request as is looked at. Header names in lower case. */
export type Asked = {
  method: string
  path: string
  address: string
  headers: Readonly<Record<string, string | string[] | undefined>>
}
export type Told = { status: number; type: string; body: string }

/** What a role says about itself beside its API: whether it lives, whether it can work, its numbers. */
export type SelfReport = {
  /** @returns undefined for what is none of it, so that the caller answers */
  answer(asked: Asked): Promise<Told> | undefined
  /** From now on it is not ready, so that nobody sends it anything new. */
  stopping(): void
}

const checkMs = 2000

/**
 * `/healthz` and `/readyz` answer anybody and name nobody. `/metrics` needs the token where there is one; without one it
 * answers the machine itself only, and nobody who comes through a proxy, as everybody has the proxy's address.
 * @param checks looked at anew for each `/readyz`
 */
export function openSelfReport(input: {
  metrics: OpenMetrics
  checks: () => Promise<Check[]>
  token?: string
}): SelfReport {
  let stopping = false
  const ready = async (): Promise<Told> => {
    const checks = stopping
      ? [{ name: 'process', state: 'bad', says: 'it stops; requests under way are being finished' } as const]
      : await checked(input.checks)
    const isReady = checks.every(({ state }) => state !== 'bad')
    return json(isReady ? 200 : 503, { ready: isReady, checks })
  }
  const numbers = async (asked: Asked): Promise<Told> => {
    const refused = refusalOf(asked, input.token)
    if (refused) return json(refused.status, { code: 'metrics.denied', message: refused.message })
    return { status: 200, type: input.metrics.contentType, body: await input.metrics.text() }
  }
  return {
    answer(asked) {
      if (asked.method !== 'GET') return undefined
      if (asked.path === '/healthz') return Promise.resolve(json(200, { ok: true }))
      if (asked.path === '/readyz') return ready()
      return asked.path === '/metrics' ? numbers(asked) : undefined
    },
    stopping() {
      stopping = true
    },
  }
}

const json = (status: number, value: unknown): Told => ({
  status,
  type: 'application/json',
  body: JSON.stringify(value),
})

async function checked(checks: () => Promise<Check[]>): Promise<Check[]> {
  let cancel: NodeJS.Timeout | undefined
  const limit = new Promise<Check[]>((resolve) => {
    const says = `not everything answered within ${checkMs / 1000} s`
    cancel = setTimeout(() => resolve([{ name: 'process', state: 'bad', says }]), checkMs)
  })
  try {
    return await Promise.race([checks(), limit])
  } catch (error) {
    return [{ name: 'process', state: 'bad', says: error instanceof Error ? error.message : String(error) }]
  } finally {
    clearTimeout(cancel)
  }
}

const loopback = /^(::ffff:)?127\.|^::1$/

function refusalOf({ address, headers }: Asked, token: string | undefined) {
  if (token !== undefined) {
    const stated = digest(String(headers.authorization ?? ''))
    if (timingSafeEqual(stated, digest(`Bearer ${token}`))) return undefined
    return { status: 401, message: 'Metrics are for whoever has the token of this role: Authorization: Bearer TOKEN.' }
  }
  const proxied = headers.forwarded !== undefined || headers['x-forwarded-for'] !== undefined
  if (loopback.test(address) && !proxied) return undefined
  const message = 'Metrics without a token are for this machine alone. Give the role a metricsTokenFile.'
  return { status: 403, message }
}

const digest = (text: string) => createHash('sha256').update(text).digest()
