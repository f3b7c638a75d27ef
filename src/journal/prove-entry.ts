import type { Call, Database } from '#kernel'
import { journalError } from './errors.ts'
import { hideTenant, type Journal } from './journal.ts'
import * as store from './log.store.ts'
import { consistencyPath, inclusionPath } from './merkle.ts'
import { proofFormat, type LogProof, shownKey } from './proof.ts'

/**
 * Proves that an entry is in the log under its newest signed head, and that this head goes on from an earlier one.
 * @param input.earlier size of the earlier head; the first of this log without
 * @throws log.missing, log.hidden, log.unheaded
 */
export function proveEntry(
  { database, journal }: { database: Database; journal: Journal },
  call: Pick<Call, 'tenant'>,
  { sequence, earlier }: { sequence: number; earlier?: number | undefined },
): Promise<LogProof> {
  return database.read(function* () {
    const head = yield* store.lastHead()
    const [row] = yield* store.entriesAfter(sequence - 1, 1)
    if (!head || row?.sequence !== sequence) throw journalError('log.missing', { sequence, size: head?.size ?? 0 })
    if (row.tenant !== '' && row.tenant !== hideTenant(journal, call.tenant))
      throw journalError('log.hidden', { sequence })
    const keys = (yield* store.logKeys()).filter(({ log }) => log === head.log)
    const before =
      earlier === undefined ? yield* store.firstHeadSince(keys[0]?.since ?? 0) : yield* store.headAt(earlier)
    if (before?.log !== head.log) throw journalError('log.unheaded', { size: earlier ?? 0 })
    const hex = (path: Uint8Array[]) => path.map((hash) => Buffer.from(hash).toString('hex'))
    return {
      format: proofFormat,
      log: head.log,
      keys: keys.map(shownKey),
      entry: row.body,
      inclusion: hex(yield* store.fromTree(inclusionPath(sequence - 1, head.size))),
      head: head.note,
      earlier: before.note,
      consistency: hex(yield* store.fromTree(consistencyPath(before.size, head.size))),
    }
  })
}
