import { type Node, type ShardStore, type ShardWriter, storageError } from '#storage'
import type { Process } from './process.ts'
import type { World } from './world.ts'

/** What is wrong with a provider, as a gateway feels it. */
export type LinkFaults = {
  /** Does not answer: refused, or a partition. */
  dead: boolean
  /** Takes everything and never answers. */
  stalled: boolean
  /** Longest delay of one message, milliseconds. */
  delayMs: number
  /** Chance that a finished shard is reported as unknown. */
  forgetful: number
  /** Chance that what is read comes back wrong. */
  lying: number
}

export const noFaults: LinkFaults = { dead: false, stalled: false, delayMs: 4, forgetful: 0, lying: 0 }

/** A provider behind a network. `node` changes when the provider's process is started again. */
export type Remote = {
  id: string
  node: Node | undefined
  incarnation: number
  faults: LinkFaults
  /** What to call when the process dies. */
  broken: Set<() => void>
}

/**
 * The shards of a provider as one process sees them over the network.
 * @param process a dead one gets no answers, a paused one later
 */
export function connectTo(world: World, remote: Remote, process: Process): ShardStore {
  const lost = (sent: boolean, reason: string) =>
    storageError(sent ? 'shard.uncertain' : 'shard.unreachable', { provider: remote.id, reason })

  /** One message there and its answer back. `writes`: when the answer is lost, the outcome is unknown. */
  const message = <T>(
    what: string,
    signal: AbortSignal,
    writes: boolean,
    act: (node: Node) => Promise<T>,
  ): Promise<T> =>
    new Promise((resolve, reject) => {
      const { incarnation } = remote
      let over = false
      const end = (settle: () => void) => {
        if (over || !process.alive()) return
        over = true
        signal.removeEventListener('abort', aborted)
        remote.broken.delete(broken)
        process.run(settle)
      }
      // A process that dies in the middle answers nobody; its connections break.
      const broken = () => end(() => reject(lost(writes, 'it died')))
      const aborted = () => end(() => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted')))
      if (signal.aborted) return aborted()
      signal.addEventListener('abort', aborted, { once: true })
      remote.broken.add(broken)
      wait(world, remote, () => {
        if (over || !process.alive()) return
        const { node, faults } = remote
        if (faults.stalled) return
        if (faults.dead || !node || remote.incarnation !== incarnation) return end(() => reject(lost(false, 'a fault')))
        const answered = (settle: () => void) =>
          wait(world, remote, () => {
            if (remote.faults.stalled) return
            if (remote.faults.dead || remote.incarnation !== incarnation)
              return end(() => reject(lost(writes, 'a fault')))
            end(settle)
          })
        act(node).then(
          (value) => {
            world.note(`${remote.id} ${what}`)
            answered(() => resolve(value))
          },
          (error: unknown) => {
            world.note(`${remote.id} ${what}: ${error instanceof Error ? error.message : String(error)}`)
            answered(() => reject(error))
          },
        )
      })
    })

  return {
    create(name, length, signal) {
      let writer: Promise<ShardWriter> | undefined
      const opened = () => {
        writer ??= message(`creates ${name}`, signal, false, (node) => node.create(name, length))
        return writer
      }
      // In order, as on one connection: the end may be sent before it is known that the last bytes came.
      let before: Promise<unknown> = Promise.resolve()
      const next = <T>(act: () => Promise<T>): Promise<T> => {
        const done = before.then(act)
        before = done
        done.catch(() => 'it is thrown where it is waited for')
        return done
      }
      return {
        write(bytes) {
          return next(async () => {
            const open = await opened()
            const sent = new Uint8Array(bytes)
            await message(`takes ${bytes.length} of ${name}`, signal, true, () => open.write(sent))
          })
        },
        finish() {
          return next(async () => {
            const open = await opened()
            await message(`finishes ${name}`, signal, true, () => open.finish())
            if (world.chance(remote.faults.forgetful)) throw lost(true, 'the answer was lost')
          })
        },
        abort: () => void writer?.then((open) => open.abort()).catch(() => 'it was never begun'),
      }
    },
    async read(name, offset, length, signal, into) {
      const bytes = await message(`reads ${name} ${offset}+${length}`, signal, false, (node) =>
        node.read(name, offset, length),
      )
      const bent = into?.subarray(0, length) ?? new Uint8Array(length)
      bent.set(bytes)
      if (!world.chance(remote.faults.lying)) return bent
      const at = world.dice(bent.length)
      bent[at] = (bent[at] as number) ^ (1 << world.dice(8))
      return bent
    },
    trash: (name, signal) => message(`trashes ${name}`, signal, true, (node) => node.trash(name)),
    list: (after, limit, signal) => message('lists', signal, false, (node) => node.list(after, limit)),
    status: (signal) => message('tells its status', signal, false, async (node) => node.status()),
  }
}

function wait(world: World, remote: Remote, act: () => void): void {
  world.clock.after(world.dice(remote.faults.delayMs + 1), act)
}
