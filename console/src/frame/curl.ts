import { type Operation, requestOf } from '#api'

/** An act as a script does it. */
export type Copied<I, O> = { command: string; operation: Operation<I, O>; input: I }

/** A request as curl sends it; the token comes from the environment of whoever runs it. */
export function curlOf<I, O>(operation: Operation<I, O>, input: I): string {
  const { path, body } = requestOf(operation, input)
  const words = ['curl', '--fail-with-body', '-X', operation.method, '-H', '"Authorization: Bearer $PELAGO_TOKEN"']
  if (operation.idempotency === 'key') words.push('-H', '"Idempotency-Key: \\"$(uuidgen)\\""')
  if (body !== undefined) words.push('-H', quoted('Content-Type: application/json'), '-d', quoted(body))
  return [...words, quoted(`${location.origin}${path}`)].join(' ')
}

/** For a POSIX shell. */
export const quoted = (text: string) => (/^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)
