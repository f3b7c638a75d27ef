import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { type Clock, type EgressFetch, fromUtf8 } from '#kernel'
import { accessError } from '../errors.ts'

/** The keys of issuers of tokens, fetched from where the tenant said and kept for a while. */
export type WebKeys = { of(issuer: string, url: string): JWTVerifyGetKey }

const freshMs = 5 * 60_000
/** Tokens under a key that is not known make them be fetched again, but not more often than this. */
const againMs = 30_000
const keptMost = 1000

export function openWebKeys(ports: { clock: Clock; egress: EgressFetch }): WebKeys {
  type Kept = { keys: JWTVerifyGetKey; at: number }
  const kept = new Map<string, Kept>()
  const under = new Map<string, Promise<Kept>>()
  const fetchNow = (issuer: string, url: string): Promise<Kept> => {
    const running = under.get(url)
    if (running) return running
    const fetching = (async () => {
      try {
        const at = ports.clock.now()
        const { status, body } = await ports.egress({ url })
        if (status !== 200) throw new Error(`it answers ${status}`)
        const keys = createLocalJWKSet(JSON.parse(fromUtf8(body)) as JSONWebKeySet)
        if (kept.size >= keptMost) kept.clear()
        const found = { keys, at }
        kept.set(url, found)
        return found
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        throw accessError('sts.issuer', { issuer, reason }, error)
      } finally {
        under.delete(url)
      }
    })()
    under.set(url, fetching)
    return fetching
  }
  return {
    of: (issuer, url) => async (header, token) => {
      const now = ports.clock.now()
      const known = kept.get(url)
      const found = known && now - known.at < freshMs ? known : await fetchNow(issuer, url)
      try {
        return await found.keys(header, token)
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey) || now - found.at < againMs) throw error
        return (await fetchNow(issuer, url)).keys(header, token)
      }
    },
  }
}
