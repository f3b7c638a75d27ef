import { signatureError } from './errors.ts'

/** Remembers which requests came, until they are too old to come again. */
export type Nonces = {
  /**
   * @param expires when whoever holds the nonce is refused anyway, milliseconds
   * @throws signature.replayed; signature.crowded when there is no room: to forget one early would let it come again
   */
  admit(key: string, nonce: string, expires: number, now: number): void
}

/** @param most how many are remembered at the same time */
export function openNonces(most = 20_000): Nonces {
  const seen = new Map<string, number>()
  const forget = (now: number) => {
    for (const [name, until] of seen) if (until < now) seen.delete(name)
  }
  return {
    admit(key, nonce, expires, now) {
      const name = `${key}\n${nonce}`
      if (seen.has(name)) throw signatureError('signature.replayed')
      if (seen.size >= most) forget(now)
      if (seen.size >= most) throw signatureError('signature.crowded', { most, retryAfter: 60 })
      seen.set(name, expires)
    },
  }
}
