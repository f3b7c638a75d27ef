/**
 * A small check of values against JSON Schema 2020-12, written from the specification and apart from the code that makes the schemas. It
 * knows the words that OpenAPI documents of ours use, and refuses any other word, so that nothing passes unseen.
 */
type JsonObject = Record<string, unknown>

const annotations = ['description', '$schema', 'title']
const known = [
  ...annotations,
  ...['$ref', 'type', 'const', 'enum', 'anyOf', 'properties', 'required', 'additionalProperties', 'maxProperties'],
  ...['items', 'maxItems', 'minLength', 'maxLength', 'pattern', 'minimum', 'maximum'],
]
const types = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** @returns what is wrong with a schema as such; empty when nothing is */
export function faultsOfSchema(schema: unknown, at = '#'): string[] {
  if (typeof schema === 'boolean') return []
  if (!isObject(schema)) return [`${at} is no schema`]
  const faults = Object.keys(schema)
    .filter((word) => !known.includes(word))
    .map((word) => `${at} has the word ${word}`)
  const expect = (word: string, fits: (value: unknown) => boolean) => {
    if (word in schema && !fits(schema[word])) faults.push(`${at}/${word} is ${JSON.stringify(schema[word])}`)
  }
  const count = (value: unknown) => Number.isInteger(value) && (value as number) >= 0
  expect('type', (value) => types.includes(value as string))
  expect('enum', (value) => Array.isArray(value) && value.length > 0 && new Set(value).size === value.length)
  expect('required', (value) => Array.isArray(value) && new Set(value).size === value.length)
  for (const word of ['maxProperties', 'maxItems', 'minLength', 'maxLength']) expect(word, count)
  for (const word of ['minimum', 'maximum']) expect(word, (value) => typeof value === 'number')
  expect('pattern', (value) => typeof value === 'string' && new RegExp(value, 'u') instanceof RegExp)
  const { properties, required, additionalProperties, items, anyOf } = schema
  if (isObject(properties)) {
    for (const [name, inner] of Object.entries(properties)) faults.push(...faultsOfSchema(inner, `${at}/${name}`))
    for (const name of (required as string[] | undefined) ?? [])
      if (!(name in properties)) faults.push(`${at} requires ${name}, which it does not have`)
  }
  if (additionalProperties !== undefined) faults.push(...faultsOfSchema(additionalProperties, `${at}/*`))
  if (items !== undefined) faults.push(...faultsOfSchema(items, `${at}[]`))
  if (anyOf !== undefined) {
    if (!Array.isArray(anyOf) || anyOf.length === 0) faults.push(`${at}/anyOf is no list`)
    else for (const inner of anyOf) faults.push(...faultsOfSchema(inner, `${at}|`))
  }
  return faults
}

/** Whether a value is what a schema asks for. `root`: where `$ref` leads. */
export function admits(schema: unknown, value: unknown, root: unknown = schema): boolean {
  if (typeof schema === 'boolean') return schema
  const all = schema as JsonObject
  if (typeof all.$ref === 'string') return admits(refer(root, all.$ref), value, root)
  if ('const' in all && value !== all.const) return false
  if (Array.isArray(all.enum) && !all.enum.includes(value)) return false
  if (Array.isArray(all.anyOf) && !all.anyOf.some((inner) => admits(inner, value, root))) return false
  if (typeof all.type === 'string' && !isOfType(value, all.type)) return false
  if (typeof value === 'string') return fitsText(all, value)
  if (typeof value === 'number') return fitsNumber(all, value)
  if (Array.isArray(value))
    return (
      value.length <= ((all.maxItems as number) ?? Infinity) &&
      value.every((one) => admits(all.items ?? true, one, root))
    )
  if (!isObject(value)) return true
  if (Object.keys(value).length > ((all.maxProperties as number) ?? Infinity)) return false
  if (((all.required as string[]) ?? []).some((name) => !Object.hasOwn(value, name))) return false
  const properties = (all.properties as JsonObject) ?? {}
  return Object.entries(value).every(([name, one]) =>
    admits(Object.hasOwn(properties, name) ? properties[name] : (all.additionalProperties ?? true), one, root),
  )
}

/** @returns what a reference leads to; undefined when it leads nowhere */
export function refer(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#/')) return undefined
  return reference
    .slice(2)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((at, part) => (isObject(at) && Object.hasOwn(at, part) ? at[part] : undefined), root)
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value)
    case 'object':
      return isObject(value)
    case 'array':
      return Array.isArray(value)
    case 'null':
      return value === null
    default:
      return typeof value === type
  }
}

function fitsText({ minLength = 0, maxLength = Infinity, pattern }: JsonObject, value: string): boolean {
  const { length } = Array.from(value)
  if (length < (minLength as number) || length > (maxLength as number)) return false
  return pattern === undefined || new RegExp(pattern as string, 'u').test(value)
}

const fitsNumber = ({ minimum = -Infinity, maximum = Infinity }: JsonObject, value: number) =>
  value >= (minimum as number) && value <= (maximum as number)
