import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { rawPublicKey, sharedKey } from '#storage'
import { systemClock } from '../clock.ts'
import { openRoot } from '../keys/open-root.ts'
import { openUnwrapServer } from '../keys/unwrap-server.ts'
import type { OpenLog } from '../log.ts'
import { readConfig, unwrapConfig } from './configuration.ts'
import type { Running } from './running.ts'

/** Enough for the keys of some thousand buckets after a restart. */
const usualPerSecond = 200
const usualBurst = 5000

/** The process that holds the root key. It speaks to enrolled gateways over a Unix socket and to nobody else. */
export async function runUnwrap(file: string, { log }: OpenLog): Promise<Running> {
  const config = readConfig(file, unwrapConfig)
  const key = createPrivateKey(readFileSync(config.keyFile))
  const own = rawPublicKey(createPublicKey(key))
  const gateways = new Map(
    config.gateways.map(({ id, publicKey }) => {
      const gateway = Buffer.from(publicKey, 'hex')
      return [id, sharedKey(key, gateway, gateway, own)] as const
    }),
  )
  const root = openRoot({ clock: systemClock, log }, config.root)
  const server = await openUnwrapServer(
    { clock: systemClock, log, root },
    {
      socket: config.socket,
      gateways,
      group: config.group ?? false,
      perSecond: config.perSecond ?? usualPerSecond,
      burst: config.burst ?? usualBurst,
    },
  )
  return { stop: () => server.close() }
}
