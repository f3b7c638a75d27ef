/**
 * What a person or a machine may be within a tenant. `owner`: everything; `admin`: everything but acts on owners; `operator`:
 * runs providers, jobs and the doctor; `clerk`: contracts and money; `auditor`: reads everything, changes nothing; `machine`:
 * only what lists it.
 */
export const roleNames = ['owner', 'admin', 'operator', 'clerk', 'auditor', 'machine'] as const

export type Role = (typeof roleNames)[number]
