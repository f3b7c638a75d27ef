import assert from 'node:assert/strict'
import type { Pelago } from './start-pelago.ts'

/** A key of another person who may do all in the same tenant. */
export async function secondKey({ cli }: Pelago): Promise<{ id: string; secret: string }> {
  assert.equal((await cli('person', 'create', 'second', '--role', 'owner')).code, 0)
  const { code, out, err } = await cli('key', 'create', 'second', '--json')
  assert.equal(code, 0, err)
  const { key, secret } = JSON.parse(out) as { key: { id: string }; secret: string }
  return { id: key.id, secret }
}
