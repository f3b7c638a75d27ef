import { type Row, type Statement, sql } from '#kernel'

type Step<T> = Generator<Statement, T, Row[]>

export type PlannedShard = { provider: string; name: string }

/**
 * Says which shards are about to be written, before any of them is; whatever happens then, each can be found and removed.
 * Called again for the shards of later segments and for hedges.
 * @returns false when the intent was given up meanwhile
 */
export function* planShards(intent: string, expiresAt: number, shards: PlannedShard[]): Step<boolean> {
  const [kept] = yield sql`INSERT INTO intents (id, state, expires_at) VALUES (${intent}, 'open', ${expiresAt})
    ON CONFLICT (id) DO UPDATE SET expires_at = ${expiresAt} WHERE intents.state = 'open' RETURNING id`
  if (!kept) return false
  for (const shard of shards) {
    yield sql`INSERT INTO intent_shards (intent, name, provider) VALUES (${intent}, ${shard.name}, ${shard.provider})`
  }
  return true
}

/**
 * The heart of every commit: deletes exactly one intent that is still open. Shards that were planned but not used become
 * strays, to be removed from the providers.
 * @returns false when the intent was given up; then nothing may be committed
 */
export function* closeIntent(intent: string, used: Set<string>, strayNotBefore: number): Step<boolean> {
  const closed = yield sql`DELETE FROM intents WHERE id = ${intent} AND state = 'open' RETURNING id`
  if (closed.length !== 1) return false
  const planned = yield sql`DELETE FROM intent_shards WHERE intent = ${intent} RETURNING name, provider`
  for (const shard of planned) {
    if (!used.has(shard.name as string))
      yield* insertStray(shard.provider as string, shard.name as string, strayNotBefore)
  }
  return true
}

/** First step of the sweep: from here on the writer cannot commit, so its shards are safe to remove. */
export function* killIntents(now: number, limit: number): Step<string[]> {
  const rows = yield sql`UPDATE intents SET state = 'dead' WHERE id IN (
    SELECT id FROM intents WHERE expires_at < ${now} AND state = 'open' ORDER BY expires_at LIMIT ${limit}) RETURNING id`
  return rows.map((row) => row.id as string)
}

/**
 * Gives up one intent of our own at once.
 * @returns whether it was still open: then it was not committed and never can be
 */
export function* killIntent(intent: string): Step<boolean> {
  const rows = yield sql`UPDATE intents SET state = 'dead' WHERE id = ${intent} AND state = 'open' RETURNING id`
  return rows.length === 1
}

/** Second step of the sweep: the shards of dead intents become strays, so many at a time. @returns whether there are more */
export function* buryIntents(now: number, limit: number): Step<boolean> {
  let room = limit
  while (room > 0) {
    const [dead] = yield sql`SELECT id FROM intents WHERE state = 'dead' ORDER BY expires_at LIMIT 1`
    if (!dead) return false
    const id = dead.id as string
    const planned = yield sql`DELETE FROM intent_shards WHERE intent = ${id} AND name IN (
      SELECT name FROM intent_shards WHERE intent = ${id} ORDER BY name LIMIT ${room}) RETURNING name, provider`
    for (const shard of planned) yield* insertStray(shard.provider as string, shard.name as string, now)
    if (planned.length < room) yield sql`DELETE FROM intents WHERE id = ${id}`
    // An intent without shards counts too, so that this ends.
    room -= Math.max(1, planned.length)
  }
  return true
}

/** Shards at providers that nothing refers to any more, due for the provider's trash. */
export function* insertStray(provider: string, name: string, notBefore: number): Step<void> {
  yield sql`INSERT INTO strays (name, provider, not_before) VALUES (${name}, ${provider}, ${notBefore}) ON CONFLICT (name) DO NOTHING`
}

export function* dueStrays(now: number, limit: number): Step<PlannedShard[]> {
  const rows =
    yield sql`SELECT name, provider FROM strays WHERE not_before <= ${now} ORDER BY not_before LIMIT ${limit}`
  return rows as unknown as PlannedShard[]
}

/** The provider did not take the removal; try again later. */
export function* postponeStray(name: string, notBefore: number): Step<void> {
  yield sql`UPDATE strays SET not_before = ${notBefore} WHERE name = ${name}`
}

export function* deleteStray(name: string): Step<void> {
  yield sql`DELETE FROM strays WHERE name = ${name}`
}

/** How many shards each provider is still to remove. */
export function* countStrays(): Step<{ provider: string; shards: number }[]> {
  const rows = yield sql`SELECT provider, COUNT(*) AS n FROM strays GROUP BY provider ORDER BY provider`
  return rows.map((row) => ({ provider: row.provider as string, shards: Number(row.n) }))
}
