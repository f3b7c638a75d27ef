import { timingSafeEqual } from 'node:crypto'
import type { Authenticate, Principal } from './principal.ts'

/**
 * Who holds the token of the data folder runs this machine: he reads every file anyway, so he is owner and operator.
 * @param token as it must stand behind `Bearer`; without it nobody would be let in by an empty header
 */
export function localToken(token: string, tenant: string): Authenticate {
  const right = Buffer.from(`Bearer ${token}`)
  const principal: Principal = { tenant, actor: 'operator', roles: ['owner', 'operator'], kind: 'local' }
  return async ({ headers }) => {
    const stated = Buffer.from(headers.authorization ?? '')
    return token !== '' && stated.length === right.length && timingSafeEqual(stated, right) ? principal : undefined
  }
}
