import * as api from '#api'
import type { Kits, KitStatus } from '#storage'
import { type Handler, handles } from './handler.ts'

/** What a gateway answers about its recovery kits. */
export function kitOperations(kits: Kits): Handler[] {
  return [
    handles(api.listKits, async () => shown(await kits.status())),
    handles(api.registerKit, async (call, { kit, ...facts }) =>
      shown(await kits.register(call, { id: kit, ...facts })),
    ),
    handles(api.proveKit, async (call, { kit, proof }) =>
      shown(await kits.prove(call, kit, Buffer.from(proof, 'hex'))),
    ),
    handles(api.discardKit, async (call, { kit }) => shown(await kits.discard(call, kit))),
  ]
}

function shown({ kits, ...state }: KitStatus): api.ApiKits {
  return {
    ...state,
    kits: kits.map(({ id, gateway, root, madeAt, testedAt }) => ({
      ...{ kit: id, gateway, root, madeAt },
      testedAt: testedAt ?? null,
    })),
  }
}
