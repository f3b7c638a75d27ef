import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { type Body, type Clock, type Database, databaseError, type Row, type Statement } from '#kernel'
import type { Process } from '../process.ts'
import { migrate, type Schema } from '../../src/host/database/schema.store.ts'

export type DatabaseFaults = {
  /** Longest delay of a transaction, milliseconds. */
  delayMs: number
  /** Chance that a transaction is refused and nothing happens. */
  abort: number
  /** Chance that nobody learns whether it was committed. */
  uncertain: number
}

/** A database that outlives the processes that use it. */
export type SimDatabase = {
  /**
   * A connection of one process; when that is dead, what it asked for never answers, and what was not begun never happens.
   * While it is paused, what it asked for may be done or not yet.
   */
  connect(process: Process): Database
  faults: DatabaseFaults
  /** Called after each transaction that was committed. */
  onCommit: () => void
  /** Looks inside, for checkers. */
  look(text: string): Row[]
  close(): void
}

type Ports = {
  clock: Clock
  dice(below: number): number
  chance(probability: number): boolean
  note(line: string): void
}

export function openSimDatabase(name: string, ports: Ports, schemas: readonly Schema[]): SimDatabase {
  const connection = new DatabaseSync(':memory:')
  const [begin, accept, undo] = [
    connection.prepare('BEGIN'),
    connection.prepare('COMMIT'),
    connection.prepare('ROLLBACK'),
  ]
  const prepared = new WeakMap<readonly string[], StatementSync>()
  const faults: DatabaseFaults = { delayMs: 2, abort: 0, uncertain: 0 }
  const run = ({ text, values }: Statement): Row[] => {
    let statement = prepared.get(text)
    if (!statement) {
      statement = connection.prepare(text.join('?'))
      prepared.set(text, statement)
    }
    return statement.all(...values) as Row[]
  }
  const drive = <T>(body: Body<T>): T => {
    const steps = body()
    let step = steps.next()
    while (!step.done) step = steps.next(run(step.value))
    return step.value
  }
  const transact = <T>(body: Body<T>, commit: boolean, database?: SimDatabase): T => {
    begin.run()
    try {
      const value = drive(body)
      ;(commit ? accept : undo).run()
      if (commit) database?.onCommit()
      return value
    } catch (error) {
      if (connection.isTransaction) undo.run()
      throw error
    }
  }
  const dialect = {
    blob: 'BLOB',
    int: 'INTEGER',
    text: 'TEXT',
    clustered: 'WITHOUT ROWID',
    serial: 'INTEGER PRIMARY KEY',
  }
  for (const schema of schemas) transact(migrate(schema, dialect, name), true)

  const database: SimDatabase = {
    faults,
    onCommit: () => {},
    look: (text) => connection.prepare(text).all() as Row[],
    close: () => connection.close(),
    connect(process) {
      const ask = <T>(body: Body<T>, writes: boolean): Promise<T> =>
        new Promise((resolve, reject) => {
          const answer = (act: () => void) => ports.clock.after(ports.dice(faults.delayMs + 1), () => process.run(act))
          const begin = () => {
            if (!process.alive()) return
            if (writes && ports.chance(faults.abort)) {
              ports.note(`${name} aborts`)
              return answer(() => reject(databaseError('database.busy', { reason: 'a fault' })))
            }
            const uncertain = writes && ports.chance(faults.uncertain)
            try {
              const value = transact(body, !uncertain || ports.chance(0.5), writes ? database : undefined)
              if (uncertain) {
                ports.note(`${name} leaves uncertain`)
                return answer(() => reject(databaseError('database.uncertain', { reason: 'a fault' })))
              }
              answer(() => resolve(value))
            } catch (error) {
              answer(() => reject(error))
            }
          }
          ports.clock.after(ports.dice(faults.delayMs + 1), () => {
            if (process.paused() && ports.chance(0.5)) process.run(begin)
            else begin()
          })
        })
      return { transact: (body) => ask(body, true), read: (body) => ask(body, false), close: async () => {} }
    },
  }
  return database
}
