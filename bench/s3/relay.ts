import { startHelper } from './processes.ts'

/** A link of one provider: the relay listens on one port and passes on to the other. */
export type LinkPlan = { name: string; listen: number; to: number }

/** How a link behaves; empty passes everything on at once. */
export type Way = {
  roundTripMs?: number
  /** In each direction, shared by all connections. */
  bytesPerSecond?: number
  /** The provider's answers begin this much later, and then come at this rate on each connection. */
  slow?: { firstMs: number; bytesPerSecond: number }
}

/** What went over a link since it was last asked. */
export type Counted = {
  upBytes: number
  downBytes: number
  exchanges: { firstMs: number; restMs: number; bytes: number }[]
}

export type RelayOrder = { open: LinkPlan[] } | { name: string; way: Way } | { take: true }

export type Relay = {
  pid: number
  set(name: string, way: Way): Promise<void>
  /** Counts since the last time. */
  take(): Promise<Record<string, Counted>>
  close(): void
}

export async function openRelay(plans: LinkPlan[]): Promise<Relay> {
  const { pid, ask, close } = startHelper('relay-process.ts')
  const order = (words: RelayOrder) => ask(words)
  await order({ open: plans })
  return {
    pid,
    async set(name, way) {
      await order({ name, way })
    },
    take: async () => (await order({ take: true })) as Record<string, Counted>,
    close,
  }
}
