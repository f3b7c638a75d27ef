import type { ErrorRow } from '#kernel'
import type { Operation } from '../operation.ts'

/** What the contract is derived from: operations, and the errors of all planes, which only a composition knows together. */
export type Contract = {
  operations: readonly Operation<unknown, unknown>[]
  errors: Readonly<Record<string, ErrorRow>>
  version: string
}

/** Codes that every operation may answer; those of the second list only where they make sense. */
export const generalErrors = ['request.invalid', 'request.rate', 'request.crowded', 'operation.late', 'server.failed']

/** Every code that an operation may answer beside those that nobody foresees. */
export function errorsOf(operation: Operation<unknown, unknown>): string[] {
  const { roles, reach, concurrency, idempotency, method } = operation
  return [
    ...operation.errors,
    ...generalErrors,
    ...(roles.includes('anyone') ? [] : ['request.unauthenticated', 'request.forbidden']),
    ...(reach === 'house' ? ['request.house'] : []),
    ...(method === 'GET' || method === 'DELETE' ? [] : ['request.malformed', 'request.large', 'request.slow']),
    ...(concurrency ? ['request.revision'] : []),
    ...(idempotency === 'key' ? ['request.key', 'request.reused', 'request.running', 'request.keys'] : []),
  ]
}

/** The noun of an operation. */
export const nounOf = ({ id }: Pick<Operation<unknown, unknown>, 'id'>) => id.split('.')[0] as string

/** Names of the path's fields, in its order. */
export const pathFields = ({ path }: Pick<Operation<unknown, unknown>, 'path'>) =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string)
