import { createHash, createHmac, hkdfSync } from 'node:crypto'
import type { Principal } from '#access'
import { apiError, type Operation } from '#api'
import {
  type Claimed,
  claimAnswer,
  countAnswers,
  dropClaim,
  forgetAnswers,
  keepAnswer,
  openAnswer,
  renewClaim,
  sealAnswer,
} from '#journal'
import { type Call, canonicalJson, type Clock, type Database, type Json, type Log, type Random, utf8 } from '#kernel'

/** An answer as it goes over the wire. */
export type Answer = { status: number; headers: Record<string, string>; body: string }

export type Wish = NonNullable<Call['once']>

/**
 * Answers each wish once. Source: draft-ietf-httpapi-idempotency-key-header-07.
 */
export type Once = {
  /**
   * Does it, or gives the answer of the last time.
   * @param header as `Idempotency-Key` says it
   * @param run answers also what is refused for good; what it throws is not remembered, and a repetition tries again
   * @throws request.key, request.reused, request.running, request.keys
   */
  answer(asked: Asked, header: string, run: (wish: Wish) => Promise<Answer>): Promise<Answer>
}

type Asked = {
  principal: Principal | undefined
  operation: Operation<unknown, unknown>
  input: unknown
  expected: string | undefined
}
/** `stop`: from then on nothing is renewed; what goes on is left to whoever comes after. */
type Ports = { database: Database; clock: Clock; random: Random; log: Log; stop: AbortSignal }

const keptMs = 24 * 60 * 60 * 1000
/** A claim of a process that died is free this soon; one that lives renews it. */
const claimMs = 10_000
const renewMs = 3000
const answersMost = 10_000
const forgetMs = 60_000
const forgetMost = 1000

/** Remembers answers in a database for 24 h. */
export function openOnce(ports: Ports): Once {
  const { database, clock, log } = ports
  const holder = Buffer.from(ports.random.bytes(12)).toString('hex')
  let forgotAt = clock.now()
  const forget = () => {
    const now = clock.now()
    if (now - forgotAt < forgetMs) return
    forgotAt = now
    database
      .transact(() => forgetAnswers(now, forgetMost))
      .catch((error: unknown) => log('warn', 'answers.unforgotten', { reason: String(error) }))
  }

  return {
    async answer({ principal, operation, input, expected }, header, run) {
      const asker = hashOf(principal?.tenant ?? '', principal?.actor ?? '')
      const key = keyOf(header)
      const wish = { id: hashOf(asker, key), key: sealingKey(asker, key) }
      // Under the key too: an input may hold a short secret, whose plain hash would tell it.
      const asks = canonicalJson([operation.id, input as Json, expected ?? ''])
      const request = createHmac('sha256', wish.key).update(asks).digest('hex')
      const known = await database.read(() => countAnswers(asker, answersMost))
      if (known >= answersMost) throw apiError('request.keys', { limit: answersMost, retryAfter: 600 })
      const claimed = await claim(ports, holder, { wish: wish.id, asker, request })
      if (claimed.state === 'other') throw apiError('request.reused')
      if (claimed.state === 'running') {
        const retryAfter = Math.max(1, Math.ceil((claimed.until - clock.now()) / 1000))
        throw apiError('request.running', { retryAfter })
      }
      if (claimed.state === 'answered') return JSON.parse(openAnswer(wish.key, claimed.answer)) as Answer
      forget()
      const letGo = renewing(ports, wish.id, holder)
      try {
        const answer = await run(wish)
        await database.transact(() => keepAnswer(wish.id, holder, sealAnswer(wish.key, JSON.stringify(answer))))
        return answer
      } catch (error) {
        await database.transact(() => dropClaim(wish.id, holder))
        throw error
      } finally {
        letGo()
      }
    },
  }
}

function claim(
  { database, clock }: Ports,
  holder: string,
  of: { wish: string; asker: string; request: string },
): Promise<Claimed> {
  const now = clock.now()
  return database.transact(() => claimAnswer({ ...of, holder, now, until: now + claimMs, expiresAt: now + keptMs }))
}

/** Keeps a claim while its request is worked on. */
function renewing({ database, clock, log, stop }: Ports, wish: string, holder: string): () => void {
  let cancel = () => {}
  let over = false
  const end = () => {
    over = true
    cancel()
  }
  const next = () => {
    cancel = clock.after(renewMs, () => {
      const until = clock.now() + claimMs
      database
        .transact(() => renewClaim(wish, holder, until))
        .catch((error: unknown) => log('warn', 'answers.unrenewed', { reason: String(error) }))
        .finally(() => over || next())
    })
  }
  next()
  stop.addEventListener('abort', end, { once: true })
  return () => {
    stop.removeEventListener('abort', end)
    end()
  }
}

/** The key itself: the header is a string of RFC 9651 (in quotes); without quotes is understood too. @throws request.key */
function keyOf(header: string): string {
  const key = header.trim().replace(/^"(.*)"$/, '$1')
  if (!/^[A-Za-z0-9\-_.:+/=]{16,255}$/.test(key)) throw apiError('request.key')
  return key
}

/** Known only while the key is: what is kept in the database is of no use without it. */
function sealingKey(asker: string, key: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', utf8(key), utf8(asker), 'pelago answer', 32))
}

function hashOf(...parts: string[]): string {
  return createHash('sha256').update(canonicalJson(parts)).digest('hex')
}
