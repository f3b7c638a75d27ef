import { type Role, roleNames } from '#kernel'
import type { Schema } from './schema.ts'

/** Who runs an operation: the process whose address the client asks. */
export type ServerName = 'gateway' | 'supervisor' | 'federation'

/** Who may ask: a role of the asker's tenant; `anyone` needs to be nobody. */
export type ApiRole = Role | 'anyone'
export const apiRoles: readonly ApiRole[] = [...roleNames, 'anyone']

/**
 * What a repetition does. `none`: it happens again; a client does not repeat it by itself. `natural`: twice comes to the same
 * as once. `key`: under the same `Idempotency-Key` it happens once, and the same answer comes again.
 */
export type Idempotency = 'none' | 'natural' | 'key'

/**
 * Whose things it touches. `tenant`: those of the asker's tenant; to him another tenant's are as if they did not exist. `house`: what all
 * tenants of a server share, so only whoever runs it may ask, whatever his role. `open`: the asker is nobody yet.
 */
export type Reach = 'tenant' | 'house' | 'open'

/** Topics of the log of which a change states one or more; or why it states none. */
export type States = readonly [string, ...string[]] | { none: string }

type Described<I, O> = {
  /** `noun.verb`, stable. */
  id: string
  summary: string
  /** Begins with `/v1/`; `{name}` is the input's field of that name. */
  path: string
  /** `every` server answers it. */
  server: ServerName | 'every'
  /** Never empty. `anyone` stands alone. */
  roles: readonly ApiRole[]
  reach: Reach
  input: Schema<I>
  /** With `stream`: of one event. */
  output: Schema<O>
  /** Codes that a client should expect beside the general ones of a request. */
  errors: readonly string[]
  /** The list comes in pages: the input has `after` and `limit`, the output one list and `next`, which is null at the end. */
  pages?: true
  /** The field of the output that changes with every change: it becomes the `ETag`, and `If-Match` holds a change to it. */
  concurrency?: { revision: string }
  /** The answer is a stream of server-sent events, each an output, until one side has enough. */
  stream?: true
  /** The output is a text of this media type and is sent as it is. */
  media?: string
}

type Repeatable =
  | { method: 'GET'; idempotency?: 'natural'; states?: undefined }
  | { method: 'PUT' | 'DELETE'; idempotency?: 'natural'; states: States }
  | { method: 'POST'; idempotency: Idempotency; states: States }

/** One thing that can be asked over HTTP, as data. Edges, client and documentation are derived from it. */
export type Operation<I, O> = Described<I, O> & Repeatable

export type Input<T> = T extends Operation<infer I, unknown> ? I : never
export type Output<T> = T extends Operation<never, infer O> ? O : T extends Operation<infer _, infer O> ? O : never

/** Declares an operation; types follow from its schemas. */
export function operation<I, O>(of: Operation<I, O>): Operation<I, O> {
  return of
}

/** Whether somebody with these roles may ask. */
export function mayAsk(operation: Pick<Operation<never, unknown>, 'roles'>, roles: readonly ApiRole[]): boolean {
  return operation.roles.some((role) => role === 'anyone' || roles.includes(role))
}
