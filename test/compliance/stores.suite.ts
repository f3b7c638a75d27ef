import { globSync } from 'node:fs'
import { join } from 'node:path'
import { type Body, type Database, PelagoError, type Row, type Statement, utf8 } from '#kernel'

export type Step<T> = Generator<Statement, T, Row[]>
type Operation = (...words: never[]) => Step<unknown>

/** One call of a store's operation. Built by `call`, so that its words are checked. */
export type Call = { operation: Operation; words: unknown[]; hot: boolean }

export const call = <W extends unknown[]>(operation: (...words: W) => Step<unknown>, ...words: W): Call => ({
  ...{ operation: operation as unknown as Operation, words },
  hot: false,
})

/** The same for one that is on the way of every request: its statements must find their rows by an index. */
export const hot = <W extends unknown[]>(operation: (...words: W) => Step<unknown>, ...words: W): Call => ({
  ...call(operation, ...words),
  hot: true,
})

/** What an operation answered, in a form in which the answers of two databases can be compared. */
export async function answerOf(database: Database, { operation, words }: Call): Promise<unknown> {
  try {
    const answer = await database.transact(() => operation(...(words as never[])))
    return { answer: plain(answer) }
  } catch (error) {
    if (!(error instanceof PelagoError) || error.code.startsWith('database.')) throw error
    return { refused: error.code }
  }
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  if (value instanceof Set || value instanceof Map) return plain([...value])
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, part]) => [name, plain(part)]),
  )
}

/** The operations of the stores under these folders that are not called. Steps that others call and are not exported count as theirs. */
export async function uncalled(root: string, folders: readonly string[], calls: readonly Call[]): Promise<string[]> {
  const called = new Set(calls.map(({ operation }) => operation))
  const files = folders.flatMap((folder) => globSync(join('src', folder, '**', '*.store.ts'), { cwd: root }))
  const missing: string[] = []
  for (const file of files) {
    const store = (await import(join(root, file))) as Record<string, unknown>
    for (const [name, operation] of Object.entries(store)) {
      if (Object.prototype.toString.call(operation) !== '[object GeneratorFunction]') continue
      if (!called.has(operation as Operation)) missing.push(`${file}: ${name}`)
    }
  }
  return missing
}

/** Runs an operation and keeps the statements that it made. */
export async function statementsOf(database: Database, { operation, words }: Call): Promise<Statement[]> {
  let seen: Statement[] = []
  const body: Body<void> = function* () {
    seen = []
    const steps = operation(...(words as never[]))
    let step = steps.next()
    while (!step.done) {
      seen.push(step.value)
      step = steps.next(yield step.value)
    }
    throw new Undo()
  }
  await database.transact(body).catch((error: unknown) => {
    if (!(error instanceof Undo) && !(error instanceof PelagoError)) throw error
  })
  return seen
}

class Undo extends Error {}

export const key = (text: string) => utf8(text)
