import type { Operation } from '../operation.ts'
import { statusFor } from '../problem.ts'
import type { Schema } from '../schema.ts'
import { type Contract, errorsOf, generalErrors, nounOf, pathFields } from './contract.ts'
import { matrixText } from './matrix.ts'

type AnyOperation = Operation<unknown, unknown>
type Line = { name: string; type: string; means: string }

/** The contract as a page in Markdown: every operation with its fields and errors, every error with its sentence, the matrix. */
export function referenceOf(contract: Contract): string {
  const { operations, errors, version } = contract
  const nouns = [...new Set(operations.map(nounOf))]
  const told = [...new Set(operations.flatMap(errorsOf))].toSorted()
  return [
    `# API of Pelago ${version}`,
    '',
    'Printed by `pelago api docs`, derived from `src/api/`. How to use it: `docs/api.md`.',
    ...nouns.flatMap((noun) => [
      '',
      `## ${noun}`,
      ...operations.filter((operation) => nounOf(operation) === noun).flatMap(operationLines),
    ]),
    '',
    '## Errors',
    '',
    '| code | status | again? | says |',
    '|---|---|---|---|',
    ...told.map((code) => {
      const row = errors[code]
      if (!row) return `| \`${code}\` | | | |`
      return `| \`${code}\` | ${statusFor(code, row.kind)} | ${row.retryable ? 'yes' : 'no'} | ${cell(row.message)} |`
    }),
    '',
    '## Who may ask what',
    '',
    matrixText(contract),
    '',
  ].join('\n')
}

function operationLines(operation: AnyOperation): string[] {
  const { id, summary, method, path, server, roles, reach, states, input, output } = operation
  const { pages, concurrency, idempotency, stream, media } = operation
  const own = errorsOf(operation).filter((code) => !generalErrors.includes(code))
  const notes = [
    `For ${roles.join(', ')}; answered by ${server === 'every' ? 'every server' : `the ${server}`}.`,
    ...(reach === 'house' ? ['Only for whoever runs the server.'] : []),
    ...(states === undefined || 'none' in states
      ? []
      : [`The log states ${states.map((topic) => `\`${topic}\``).join(', ')}.`]),
    ...(idempotency === 'key' ? ['Under an `Idempotency-Key` it happens once.'] : []),
    ...(idempotency === 'none' ? ['Asked twice, it happens twice.'] : []),
    ...(pages ? ['Comes in pages: go on with `after` until `next` is null.'] : []),
    ...(concurrency ? [`Its \`ETag\` is \`${concurrency.revision}\`.`] : []),
    ...(stream ? ['A stream of server-sent events, each of the shape below.'] : []),
    ...(media ? [`Answers ${media}.`] : []),
  ]
  return [
    '',
    `### ${id}`,
    '',
    summary,
    '',
    `\`${method} ${path}\``,
    '',
    notes.join(' '),
    ...tableOf('Input', inputLines(operation, input)),
    ...tableOf(stream ? 'Event' : 'Output', linesOf('', output)),
    ...(own.length > 0 ? ['', `Errors: ${own.map((code) => `\`${code}\``).join(', ')}.`] : []),
  ]
}

function inputLines(operation: AnyOperation, input: Schema<unknown>): Line[] {
  const inPath = pathFields(operation)
  return linesOf('', input).map((line) =>
    inPath.includes(line.name) ? { ...line, type: `${line.type}; in the path` } : line,
  )
}

function tableOf(title: string, lines: Line[]): string[] {
  if (lines.length === 0) return []
  const rows = lines.map(({ name, type, means }) => `| ${name ? `\`${name}\`` : ''} | ${cell(type)} | ${cell(means)} |`)
  return ['', `| ${title} | is | means |`, '|---|---|---|', ...rows]
}

/** One line per field, those of inner objects behind a dot, those of lists behind brackets. */
function linesOf(name: string, schema: Schema<unknown>, suffix = '', means = schema.about ?? ''): Line[] {
  switch (schema.kind) {
    case 'optional':
      return linesOf(name, schema.of, `${suffix}; may be left away`, means || (schema.of.about ?? ''))
    case 'nullable':
      return linesOf(name, schema.of, `${suffix}, or null`, means || (schema.of.about ?? ''))
    case 'fields': {
      const inner = Object.entries(schema.of).flatMap(([field, of]) => linesOf(name ? `${name}.${field}` : field, of))
      const itself = name && (means || suffix) ? [{ name, type: `object${suffix}`, means }] : []
      return [...itself, ...inner]
    }
    case 'list': {
      const type = `list of at most ${schema.max}${suffix}`
      return isPlain(schema.of)
        ? [{ name, type: `${type}: ${typeOf(schema.of)}`, means: means || (schema.of.about ?? '') }]
        : [{ name, type, means }, ...linesOf(`${name}[]`, schema.of)]
    }
    case 'record':
      return [
        { name, type: `object of at most ${schema.max} names${suffix}`, means },
        ...linesOf(`${name}.*`, schema.of),
      ]
    default:
      return [{ name, type: `${typeOf(schema)}${suffix}`, means }]
  }
}

const isPlain = ({ kind }: Schema<unknown>) =>
  kind === 'text' || kind === 'number' || kind === 'flag' || kind === 'choice'

function typeOf(schema: Schema<unknown>): string {
  switch (schema.kind) {
    case 'text':
      if (schema.means !== undefined) return `text; ${schema.means}`
      return schema.min > 0
        ? `text of ${schema.min} to ${schema.max} characters`
        : `text of at most ${schema.max} characters`
    case 'number': {
      const { min, max, whole } = schema
      const kind = whole ? 'whole number' : 'number'
      if (min === max) return String(min)
      const [least, most] = [min > Number.MIN_SAFE_INTEGER, max < Number.MAX_SAFE_INTEGER]
      if (least && most) return `${kind} from ${min} to ${max}`
      return least ? `${kind} from ${min}` : most ? `${kind} up to ${max}` : kind
    }
    case 'flag':
      return 'true or false'
    case 'choice':
      return schema.of.map((word) => `"${word}"`).join(', ')
    case 'json':
      return 'any JSON'
    default:
      return schema.kind
  }
}

/** Text that stays in its cell. */
const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
