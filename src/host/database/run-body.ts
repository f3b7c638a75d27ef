import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Body, Row, Statement } from '#kernel'

export type Outcome = { value: unknown } | { error: unknown }

/** Runs a statement and has all its rows. */
export type Run = (statement: Statement) => Row[]

/** Runs a body to its end, handing each statement's rows back to it. */
export function drive<T>(run: Run, body: Body<T>): T {
  const steps = body()
  let step = steps.next()
  while (!step.done) {
    let rows: Row[]
    try {
      rows = run(step.value)
    } catch (error) {
      step = steps.throw(error)
      continue
    }
    step = steps.next(rows)
  }
  return step.value
}

/** Keeps prepared statements by the identity of their template, of which there are as many as places in the code. */
export function statementRunner(database: DatabaseSync): Run {
  const prepared = new WeakMap<readonly string[], StatementSync>()
  return ({ text, values }) => {
    let statement = prepared.get(text)
    if (!statement) {
      statement = database.prepare(text.join('?'))
      prepared.set(text, statement)
    }
    return statement.all(...values) as Row[]
  }
}

/** The same, with what it throws as an outcome. */
export function outcomeOf(run: Run, body: Body<unknown>): Outcome {
  try {
    return { value: drive(run, body) }
  } catch (error) {
    return { error }
  }
}
