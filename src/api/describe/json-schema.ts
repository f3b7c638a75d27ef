import type { Json } from '#kernel'
import type { Schema } from '../schema.ts'

type JsonObject = { [key: string]: Json }

/** A schema as JSON Schema says it. Source: JSON Schema 2020-12, core and validation. */
export function jsonSchemaOf(schema: Schema<unknown>): JsonObject {
  const { about } = schema
  return { ...bare(schema), ...(about !== undefined && { description: about }) }
}

function bare(schema: Schema<unknown>): JsonObject {
  switch (schema.kind) {
    case 'text':
      return {
        type: 'string',
        ...(schema.min > 0 && { minLength: schema.min }),
        maxLength: schema.max,
        ...(schema.pattern !== undefined && { pattern: schema.pattern }),
      }
    case 'number': {
      const { min, max, whole } = schema
      if (min === max) return { const: min }
      const open = whole ? [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER] : [-Number.MAX_VALUE, Number.MAX_VALUE]
      return {
        type: whole ? 'integer' : 'number',
        ...(min !== open[0] && { minimum: min }),
        ...(max !== open[1] && { maximum: max }),
      }
    }
    case 'flag':
      return { type: 'boolean' }
    case 'choice':
      return { enum: [...schema.of] }
    case 'list':
      return { type: 'array', items: jsonSchemaOf(schema.of), maxItems: schema.max }
    case 'record':
      return { type: 'object', additionalProperties: jsonSchemaOf(schema.of), maxProperties: schema.max }
    case 'fields':
      return {
        type: 'object',
        properties: Object.fromEntries(Object.entries(schema.of).map(([name, field]) => [name, jsonSchemaOf(field)])),
        required: Object.keys(schema.of).filter((name) => schema.of[name]?.kind !== 'optional'),
        additionalProperties: false,
      }
    case 'optional':
      return jsonSchemaOf(schema.of)
    case 'nullable':
      return { anyOf: [jsonSchemaOf(schema.of), { type: 'null' }] }
    case 'json':
      // Any value; that its text is bounded cannot be said here.
      return {}
  }
}
