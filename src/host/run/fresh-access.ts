import { randomBytes } from 'node:crypto'
import type { AccessConfig } from './configuration.ts'

/** A new access key of S3. */
export function freshAccess(tenant: string): AccessConfig['keys'][number] {
  // 32 letters of which none looks like another.
  const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'
  const id = `PEL${[...randomBytes(17)].map((byte) => letters[byte & 31]).join('')}`
  return { id, secret: randomBytes(30).toString('base64url'), tenant, actor: 'admin' }
}
