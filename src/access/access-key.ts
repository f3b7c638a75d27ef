/** A key that signs requests for one tenant. */
export type AccessKey = { id: string; secret: string; tenant: string; actor: string }

/** Where access keys are looked up. */
export type AccessKeys = { find(id: string): Promise<AccessKey | undefined> }

/** Access keys out of a list, such as a configuration's. */
export function listedKeys(keys: readonly AccessKey[]): AccessKeys {
  const byId = new Map(keys.map((key) => [key.id, key]))
  return { find: async (id) => byId.get(id) }
}
