import pg from 'pg'
import type { Row, Statement, Value } from '#kernel'

/** A statement as PostgreSQL prepares it: once per connection, under a name of its own. */
export type Prepared = {
  name: string
  text: string
  /** It writes and returns nothing: it may travel together with whatever comes next. */
  silent: boolean
}

const texts = new WeakMap<readonly string[], { plain?: Prepared; share?: Prepared }>()
let named = 0

/** The prepared form of a statement, kept by the identity of its template as on SQLite. */
export function preparedOf({ text, lock }: Statement): Prepared {
  let forms = texts.get(text)
  if (!forms) {
    forms = {}
    texts.set(text, forms)
  }
  const form = lock ?? 'plain'
  forms[form] ??= prepare(text.reduce((whole, part, at) => `${whole}$${at}${part}`) + (lock ? ' FOR SHARE' : ''))
  return forms[form]
}

export function prepare(text: string): Prepared {
  const silent = /^\s*(INSERT|UPDATE|DELETE|BEGIN)\b/i.test(text) && !/\bRETURNING\b/i.test(text)
  return { name: `p${++named}`, text, silent }
}

export type Asked = { prepared: Prepared; values: Value[] }

type Parser = (text: string) => unknown

/** 64-bit integers come as numbers: what is stored stays below 2^53. */
const parserOf = (oid: number): Parser =>
  oid === pg.types.builtins.INT8 || oid === pg.types.builtins.NUMERIC
    ? Number
    : (pg.types.getTypeParser(oid, 'text') as Parser)

type Wire = pg.Connection & {
  stream: { cork(): void; uncork(): void }
  parse(query: { name: string; text: string }): void
  bind(config: { portal: string; statement: string; values: Value[]; valueMapper(value: Value): unknown }): void
  describe(message: { type: 'P'; name: string }): void
  execute(config: { portal: string }): void
  sync(): void
}

/** What each connection has prepared. It ends with the connection. */
const known = new WeakMap<object, Set<string>>()

/**
 * Statements that go to the server in one write and are answered in one: the first that fails ends them all. Rows are those
 * of the last.
 */
export class Trip implements pg.Submittable {
  readonly rows: Promise<Row[]>
  readonly #asked: readonly Asked[]
  readonly #parsing: string[] = []
  #settle!: { resolve(rows: Row[]): void; reject(error: unknown): void }
  #fields: { name: string; parser: Parser }[] = []
  #found: Row[] = []
  #stopListening = () => {}

  constructor(asked: readonly Asked[]) {
    this.#asked = asked
    this.rows = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
  }

  submit(connection: pg.Connection): void {
    const wire = connection as Wire
    let names = known.get(connection)
    if (!names) known.set(connection, (names = new Set()))
    const have = names
    const parsed = () => {
      const name = this.#parsing.shift()
      if (name !== undefined) have.add(name)
    }
    connection.on('parseComplete', parsed)
    this.#stopListening = () => connection.off('parseComplete', parsed)
    const asking = new Set<string>()
    wire.stream.cork()
    try {
      for (const { prepared, values } of this.#asked) {
        const { name, text } = prepared
        if (!have.has(name) && !asking.has(name)) {
          wire.parse({ name, text })
          this.#parsing.push(name)
          asking.add(name)
        }
        wire.bind({ portal: '', statement: name, values, valueMapper: asSent })
        if (!prepared.silent) wire.describe({ type: 'P', name: '' })
        wire.execute({ portal: '' })
      }
      wire.sync()
    } finally {
      wire.stream.uncork()
    }
  }

  handleRowDescription({ fields }: { fields: { name: string; dataTypeID: number }[] }): void {
    this.#fields = fields.map(({ name, dataTypeID }) => ({ name, parser: parserOf(dataTypeID) }))
    this.#found = []
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    const row: Row = {}
    for (const [at, { name, parser }] of this.#fields.entries()) {
      const text = fields[at] ?? null
      row[name] = text === null ? null : (parser(text) as Value)
    }
    this.#found.push(row)
  }

  handleCommandComplete(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}

  handleReadyForQuery(): void {
    this.#stopListening()
    this.#settle.resolve(this.#asked[this.#asked.length - 1]?.prepared.silent ? [] : this.#found)
  }

  handleError(error: unknown): void {
    this.#stopListening()
    this.#settle.reject(error)
  }

  handleCopyInResponse(connection: { sendCopyFail(reason: string): void }): void {
    connection.sendCopyFail('nothing is copied here')
  }
  handleCopyData(): void {}
}

function asSent(value: Value): unknown {
  if (value === null || typeof value === 'string' || Buffer.isBuffer(value)) return value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return String(value)
}
