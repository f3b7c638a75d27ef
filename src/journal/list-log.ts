import type { Call, Database } from '#kernel'
import type { Entry } from './entry.ts'
import { journalError } from './errors.ts'
import { hideName, hideTenant, type Journal } from './journal.ts'
import * as store from './log.store.ts'
import { type ShownKey, shownKey } from './proof.ts'
import type { SeenEntry } from './check-log.ts'

type Ports = { database: Database; journal: Journal }

/**
 * A page of the log behind `after`. Of what is about another tenant only the hash is given, so that the chain can still be
 * checked; with a topic or a name, such entries are left out.
 * @param input.name a name in clear; only who holds the key of the log can look for one
 */
export async function listLog(
  { database, journal }: Ports,
  call: Pick<Call, 'tenant'>,
  {
    after,
    limit,
    topic,
    name,
  }: { after: number; limit: number; topic?: string | undefined; name?: string | undefined },
): Promise<{ entries: SeenEntry[]; next: number | null }> {
  const rows = await database.read(() =>
    name === undefined
      ? store.entriesAfter(after, limit, topic)
      : store.entriesNaming(hideName(journal, call.tenant, name), after, limit),
  )
  const tenant = hideTenant(journal, call.tenant)
  const entries = rows.map(({ sequence, tenant: whose, body, hash }): SeenEntry => {
    const mine = whose === '' || whose === tenant
    return { sequence, hash: Buffer.from(hash).toString('hex'), entry: mine ? (JSON.parse(body) as Entry) : null }
  })
  const wanted = ({ entry }: SeenEntry) =>
    topic === undefined && name === undefined ? true : entry !== null && (topic === undefined || entry.topic === topic)
  const last = rows.at(-1)
  return { entries: entries.filter(wanted), next: rows.length === limit && last ? last.sequence : null }
}

/** A page of signed heads of more than `after` entries. */
export async function listHeads(
  { database }: Pick<Ports, 'database'>,
  { after, limit }: { after: number; limit: number },
): Promise<{ heads: { size: number; note: string }[]; next: number | null }> {
  const heads = await database.read(() => store.headsAfter(after, limit))
  return { heads, next: heads.length === limit ? (heads.at(-1)?.size ?? null) : null }
}

/** The log's name, its newest head and all keys that it was ever signed with. @throws log.missing before the first entry */
export async function showLog({
  database,
}: Pick<Ports, 'database'>): Promise<{ log: string; head: string; keys: ShownKey[] }> {
  return database.read(function* () {
    const head = yield* store.lastHead()
    if (!head) throw journalError('log.missing', { sequence: 1, size: 0 })
    return { log: head.log, head: head.note, keys: (yield* store.logKeys()).map(shownKey) }
  })
}
