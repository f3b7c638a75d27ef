import * as api from '#api'
import { type Journal, listHeads, listLog, proveEntry, type SealedLog, shownKey, showLog } from '#journal'
import type { Database } from '#kernel'
import { type Handler, handles } from './handler.ts'

type Ports = { index: Database; journal: Journal; sealedLog: SealedLog }

const usual = 200

/** What every server answers about its own log. What waits is given its place first, so that whoever asks sees it. */
export function logOperations({ index, journal, sealedLog }: Ports): Handler[] {
  const ports = { database: index, journal }
  const seal = async () => {
    while ((await sealedLog.seal()) === 'more');
  }
  return [
    handles(api.listLog, async (call, { after = 0, limit = usual, topic, name }) => {
      await seal()
      return listLog(ports, call, { after, limit, topic, name })
    }),
    handles(api.listHeads, (_, { after = 0, limit = usual }) => listHeads(ports, { after, limit })),
    handles(api.getLog, async () => {
      const found = await showLog(ports)
      return { ...found, kept: sealedLog.kept() ?? null, fault: sealedLog.fault()?.message ?? null }
    }),
    handles(api.proveEntry, async (call, input) => {
      await seal()
      return proveEntry(ports, call, input)
    }),
    handles(api.rotateLogKey, async (call) => shownKey(await sealedLog.rotate(call.actor))),
  ]
}
