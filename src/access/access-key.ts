import { type Caller, ownerOf } from './caller.ts'

/** A key that signs requests, and for whom. */
export type AccessKey = { id: string; secret: string; caller: Caller }

/** Where access keys are looked up. */
export type AccessKeys = {
  /**
   * @param token the session token that came along
   * @throws access.token, access.token-expired
   */
  find(id: string, token: string | undefined): Promise<AccessKey | undefined>
}

/** Access keys out of a list; each is of someone who owns the tenant, and no bucket has a policy. */
export function listedKeys(
  keys: readonly { id: string; secret: string; tenant: string; actor: string }[],
): AccessKeys & { bucketAccess(): undefined } {
  const byId = new Map(
    keys.map(({ id, secret, tenant, actor }) => [id, { id, secret, caller: ownerOf(tenant, actor) }]),
  )
  return {
    find: async (id, token) => (token === undefined ? byId.get(id) : undefined),
    bucketAccess: () => undefined,
  }
}
