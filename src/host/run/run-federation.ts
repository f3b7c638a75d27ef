import { createPrivateKey } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { localToken } from '#access'
import type { SignedDirectory } from '#pool'
import { directoryFacts, logAct, logOperations, logStart, logStop, openFederation } from '#roles'
import { openApiServer } from '../http/api-server.ts'
import { systemClock } from '../clock.ts'
import { federationConfig, readConfig } from './configuration.ts'
import type { OpenLog } from '../log.ts'
import { observeRole } from '../observe/observe-role.ts'
import { openRandom } from '../random.ts'
import { openOwnLog } from './own-log.ts'
import { programVersion } from './program-version.ts'
import type { Running } from './running.ts'
import { writePrivateJson } from '../disk/write-file.ts'

/** The federation's process: states who its members are. */
export async function runFederation(file: string, { log, watch }: OpenLog): Promise<Running> {
  const config = readConfig(file, federationConfig)
  const kept = join(config.folder, 'directory.json')
  const observed = observeRole('federation', config.observe, { log, watch })
  const random = openRandom()
  const own = await openOwnLog(config.folder, { clock: systemClock, log, random })
  const name = { id: 'federation', role: 'federation', version: programVersion() } as const
  await logStart(own, name)
  const federation = await openFederation({
    clock: systemClock,
    log,
    key: createPrivateKey(readFileSync(config.keyFile)),
    members: config.members,
    load: async () => (existsSync(kept) ? (JSON.parse(readFileSync(kept, 'utf8')) as SignedDirectory) : undefined),
    async save(signed) {
      const facts = directoryFacts(signed.directory)
      // Stated first: what is signed and not in the log could not be explained.
      await logAct(own, { topic: 'directory.signed', about: name.id, actor: 'system', facts })
      writePrivateJson(kept, signed)
    },
  })
  const server = await openApiServer(
    {
      handlers: [...federation.operations, ...logOperations(own)],
      authenticate: localToken(readFileSync(config.tokenFile, 'utf8').trim(), 'federation'),
      clock: systemClock,
      random,
      log,
      report: observed.report,
      meter: observed.apiMeter,
    },
    config.api,
  )
  observed.checks(async () => {
    const signed = existsSync(kept)
    const says = signed ? 'there is a signed directory' : 'there is no signed directory'
    return [{ name: 'directory', state: signed ? 'good' : 'bad', says }]
  })
  return {
    async stop() {
      observed.report.stopping()
      await server.close()
      await logStop(own, name)
      await own.close()
      await observed.close()
    },
  }
}
