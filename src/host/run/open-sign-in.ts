import { readFileSync } from 'node:fs'
import type { SignInPorts } from '#access'
import type { Journal } from '#journal'
import type { Clock, Database, Log, Random } from '#kernel'
import { openEgress } from '../http/egress.ts'
import { openIdentityProviders } from '../http/identity-providers.ts'
import type { GatewayConfig } from './configuration.ts'

type Ports = { database: Database; clock: Clock; random: Random; log: Log; journal: Journal }

/** What people sign in with, as a gateway's configuration says. @throws file errors for a missing secret */
export function openSignIn(ports: Ports, config: Pick<GatewayConfig, 'api' | 'signIn' | 'egress'>, tenant: string) {
  const atHome = { rp: 'localhost', name: 'Pelago', origins: [`http://localhost:${config.api.port}`], providers: [] }
  const { providers, ...site }: NonNullable<GatewayConfig['signIn']> = config.signIn ?? atHome
  const egress = openEgress({ origins: config.egress?.origins ?? [] })
  const configs = providers.map(({ id, name, issuer, clientId, clientSecretFile, scopes }) => {
    const clientSecret = clientSecretFile === undefined ? undefined : readFileSync(clientSecretFile, 'utf8').trim()
    return { id, name, issuer, clientId, clientSecret, scopes }
  })
  return {
    ...ports,
    providers: openIdentityProviders({ egress, clock: ports.clock, log: ports.log }, configs),
    site: { ...site, tenant, rules: Object.fromEntries(providers.map(({ id, rules }) => [id, rules])) },
  } satisfies SignInPorts & { log: Log }
}
