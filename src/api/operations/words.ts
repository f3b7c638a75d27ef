import type { ApiRole } from '../operation.ts'
import { about, fields, integer, text } from '../schema.ts'

export const time = about('Milliseconds since 1970 UTC.', integer({ min: 0 }))

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
export const nothing = fields({})

/** Who changes what belongs to the tenant. */
export const admins: readonly ApiRole[] = ['owner', 'admin']
/** Who sees content's names and the tenant's people. */
export const readers: readonly ApiRole[] = ['owner', 'admin', 'auditor']
/** Who runs the machinery. */
export const runners: readonly ApiRole[] = ['owner', 'admin', 'operator']
/** Who sees the state of the machinery. */
export const watchers: readonly ApiRole[] = ['owner', 'admin', 'operator', 'auditor']
/** Whoever is somebody. Machines use access keys. */
export const people: readonly ApiRole[] = ['owner', 'admin', 'operator', 'clerk', 'auditor']

export const personName = text({ min: 1, max: 64 })
