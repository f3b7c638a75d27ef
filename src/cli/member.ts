import { inviteGateway, inviteProvider, listMembers, revokeMember } from '#api'
import type { CliPorts, Common, GatewayJoin, ProviderJoin } from './ports.ts'
import { table } from './table.ts'

export type InviteOptions = Common & { again: boolean }
export type FactOptions = InviteOptions & {
  name: string
  country: string
  owner: string
  ownerCountry: string
  attestation?: string[]
}
type Kind = 'gateway' | 'provider'

const timeText = (at: number) => new Date(at).toISOString().slice(0, 19)

/** Says a code to standard output alone, so that it can be handed on, and what it is for beside it. */
function tellCode(ports: CliPorts, { json }: Common, kind: Kind, answer: { code: string; expiresAt: number }): number {
  if (json) ports.out(JSON.stringify(answer))
  else {
    ports.out(answer.code)
    ports.err(`On its machine: pelago ${kind} join CODE. Good once, until ${timeText(answer.expiresAt)}.`)
  }
  return 0
}

export async function initFederation(ports: CliPorts, options: Common & { url: string; listen?: string }) {
  const { data, url, listen, json } = options
  const made = await ports.initFederation({ data, url, ...(listen !== undefined && { listen }) })
  ports.out(
    json
      ? JSON.stringify(made)
      : `The federation's folder is ${made.folder}; it is reached at ${made.url}. Start it: pelago run --config ${made.folder}/config.json`,
  )
  return 0
}

export async function inviteAsGateway(ports: CliPorts, gateway: string, options: InviteOptions) {
  const answer = await ports.client(options.data).ask(inviteGateway, { gateway, again: options.again })
  return tellCode(ports, options, 'gateway', answer)
}

export async function inviteAsProvider(ports: CliPorts, provider: string, options: FactOptions) {
  const { name, country, owner, ownerCountry, again } = options
  const facts = { name, country, owner, ownerCountry, attestations: options.attestation ?? [] }
  const answer = await ports.client(options.data).ask(inviteProvider, { provider, ...facts, again })
  return tellCode(ports, options, 'provider', answer)
}

export async function joinAsProvider(ports: CliPorts, code: string, options: ProviderJoin & Common) {
  const joined = await ports.joinAsProvider(code, options)
  if (options.json) ports.out(JSON.stringify(joined))
  else {
    ports.out(`${joined.id} is a provider of the federation at ${joined.federation}.`)
    ports.out(`Start it: pelago run --config ${joined.folder}/config.json`)
  }
  return 0
}

export async function joinAsGateway(ports: CliPorts, code: string, options: GatewayJoin & Common) {
  const joined = await ports.joinAsGateway(code, options)
  if (options.json) ports.out(JSON.stringify(joined))
  else {
    const { access } = joined
    ports.out(`${joined.id} is a gateway of the federation at ${joined.federation}.`)
    if (access) ports.out(`access key         ${access.id}\nsecret access key  ${access.secret}`)
    ports.out(`Start what holds the root key: pelago run --config ${joined.unwrap}/config.json`)
    ports.out(`Then the gateway: pelago run --config ${joined.folder}/config.json`)
  }
  return 0
}

/** @param kind only these; all without */
export async function list(ports: CliPorts, kind: Kind | undefined, { data, json }: Common) {
  const members = []
  for await (const page of ports.client(data).pages(listMembers, {})) members.push(...page.members)
  const wanted = members.filter((member) => kind === undefined || member.kind === kind)
  if (json) ports.out(JSON.stringify({ members: wanted }))
  else if (wanted.length === 0) ports.out('Nobody is enrolled.')
  else {
    const rows = wanted.map((member) => [
      ...[member.id, member.kind, member.state, timeText(member.revokedAt ?? member.since)],
      ...[member.endpoint || 'it only calls', member.pin.slice(0, 16) || 'no certificate'],
    ])
    for (const line of table([['MEMBER', 'KIND', 'STATE', 'SINCE', 'REACHED AT', 'KEY'], ...rows])) ports.out(line)
  }
  return 0
}

export async function revoke(ports: CliPorts, kind: Kind, member: string, { data, json }: Common) {
  const answer = await ports.client(data).ask(revokeMember, { member, kind })
  const means =
    kind === 'gateway'
      ? 'Providers refuse it within seconds.'
      : 'Gateways place nothing there any more, and repair elsewhere what it held.'
  ports.out(json ? JSON.stringify(answer) : `${member} is revoked, and its keys never come back. ${means}`)
  return 0
}
