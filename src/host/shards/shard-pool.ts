import type { Clock } from '#kernel'
import { storageError } from '#storage'
import { type Connection, type ConnectionConfig, openConnection } from './shard-connection.ts'

export type PoolConfig = ConnectionConfig & { provider: string; socketsMost: number }

/** Connections to one provider that are kept. */
export type ShardPool = {
  /** The connection that rested shortest, a new one, or the next one that somebody gives back. */
  take(signal: AbortSignal): Promise<Connection>
  /** It can be used again. One that is not given back has to be ended. */
  give(connection: Connection): void
  close(): void
}

export function openShardPool(clock: Clock, config: PoolConfig): ShardPool {
  const idle: Connection[] = []
  const waiting: (() => void)[] = []
  let open = 0
  let closed = false

  const drop = (connection: Connection) => {
    const at = idle.indexOf(connection)
    if (at !== -1) idle.splice(at, 1)
    open--
    waiting.shift()?.()
  }
  return {
    async take(signal) {
      while (true) {
        signal.throwIfAborted()
        if (closed) throw storageError('shard.unreachable', { provider: config.provider, reason: 'the gateway stops' })
        const rested = idle.pop()
        if (rested) return rested
        if (open < config.socketsMost) {
          open++
          return openConnection(clock, config, drop)
        }
        await turn(waiting, signal)
      }
    },
    give(connection) {
      connection.rest()
      if (closed) return connection.end()
      idle.push(connection)
      waiting.shift()?.()
    },
    close() {
      closed = true
      for (const connection of [...idle]) connection.end()
      for (const wake of waiting.splice(0)) wake()
    },
  }
}

/** Resolves when it is this one's turn, or when the signal is aborted. */
function turn(waiting: (() => void)[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      signal.removeEventListener('abort', leave)
      resolve()
    }
    const leave = () => {
      waiting.splice(waiting.indexOf(wake), 1)
      resolve()
    }
    waiting.push(wake)
    signal.addEventListener('abort', leave, { once: true })
  })
}
