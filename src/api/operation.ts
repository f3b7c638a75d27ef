import type { Schema } from './schema.ts'

/** Who runs the operation: the process whose address the client asks. */
export type ServerName = 'gateway' | 'supervisor' | 'federation'

/** Who may ask. `operator` holds the token of the data folder; `anyone` needs none. */
export type ApiRole = 'operator' | 'anyone'

/** One thing that can be asked over HTTP, as data. Edges, client and documentation are derived from it. */
export type Operation<I, O> = {
  /** `noun.verb`, stable. */
  id: string
  summary: string
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Begins with `/v1/`; `{name}` is the input's field of that name. */
  path: string
  server: ServerName
  roles: readonly ApiRole[]
  input: Schema<I>
  output: Schema<O>
  /** Codes that a client should expect beside the general ones of a request. */
  errors: readonly string[]
}

export type Input<T> = T extends Operation<infer I, unknown> ? I : never
export type Output<T> = T extends Operation<never, infer O> ? O : T extends Operation<infer _, infer O> ? O : never

/** Declares an operation; types follow from its schemas. */
export function operation<I, O>(of: Operation<I, O>): Operation<I, O> {
  return of
}
