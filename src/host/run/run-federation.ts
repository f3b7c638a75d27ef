import { readFileSync } from 'node:fs'
import { anyOf, localToken } from '#access'
import { federationOperations, logOperations, logStart, logStop } from '#roles'
import { openApiServer } from '../http/api-server.ts'
import { systemClock } from '../clock.ts'
import { federationConfig, readConfig } from './configuration.ts'
import type { OpenLog } from '../log.ts'
import { observeRole } from '../observe/observe-role.ts'
import { federationChecks } from '../observe/role-checks.ts'
import { openRandom } from '../random.ts'
import { federationDatabase, moveLogDatabase, openOwnFederation } from './open-own-federation.ts'
import { federationIdentity } from './federation-identity.ts'
import { openRenewal } from '../tls/renewal.ts'
import { wantsTls } from '../tls/wants-tls.ts'
import { openOwnLog } from './own-log.ts'
import { programVersion } from './program-version.ts'
import type { Running } from './running.ts'

/** The federation's process: says who its members are, lets in whoever was invited, and ends memberships. */
export async function runFederation(file: string, { log, watch }: OpenLog): Promise<Running> {
  const config = readConfig(file, federationConfig)
  const observed = observeRole('federation', config.observe, { log, watch })
  const [random, clock] = [openRandom(), systemClock]
  moveLogDatabase(config.folder)
  const own = await openOwnLog(config.folder, { clock, log, random }, federationDatabase)
  const name = { id: 'federation', role: 'federation', version: programVersion() } as const
  await logStart(own, name)
  const federation = await openOwnFederation({ ...own, random, database: own.index }, config)
  const token = localToken(readFileSync(config.tokenFile, 'utf8').trim(), 'federation')
  const identity = await federationIdentity({ clock, random }, federation.authority, config)
  const tls = wantsTls('api', config.api, identity)
  const renewal = tls && openRenewal({ clock, log, random, metrics: observed.metrics }, tls, identity.issue)
  const server = await openApiServer(
    {
      handlers: [...federationOperations(federation), ...logOperations(own)],
      authenticate: anyOf([federation.authenticate, token]),
      clock,
      random,
      log,
      answers: own.index,
      report: observed.report,
      meter: observed.apiMeter,
      tlsMeter: observed.tlsMeter,
    },
    { ...config.api, tls: tls && { source: tls.source } },
  )
  observed.checks(async () => [
    ...federationChecks(federation.authority, (await federation.directory()).directory, clock.now()),
    ...(renewal ? [renewal.check()] : []),
  ])
  return {
    async stop() {
      observed.report.stopping()
      renewal?.close()
      await server.close()
      await logStop(own, name)
      await own.close()
      await observed.close()
    },
  }
}
