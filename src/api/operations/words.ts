import { fields, integer, text } from '../schema.ts'

/** Milliseconds since 1970 UTC. */
export const time = integer({ min: 0 })

export const bytes = integer({ min: 0 })
export const bucketName = text({
  pattern: '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$',
  means: 'must be 3 to 63 of a-z, 0-9, dot and hyphen, beginning and ending with a letter or digit',
})
export const providerId = text({
  min: 1,
  max: 64,
  pattern: '^[a-z0-9-]+$',
  means: 'must be the short name of a provider',
})
export const operator = ['operator'] as const
export const nothing = fields({})
