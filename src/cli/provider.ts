import { listProviders, startProvider, stopProvider } from '#api'
import type { CliPorts, Common } from './ports.ts'
import { table } from './table.ts'

export async function listThem(ports: CliPorts, { data, json }: Common): Promise<number> {
  const answer = await ports.client(data).ask(listProviders, {})
  if (json) ports.out(JSON.stringify(answer))
  else {
    const rows = answer.providers.map((provider) => [
      provider.id,
      provider.country,
      `${provider.owner} (${provider.ownerCountry})`,
      provider.attestations.join(', ') || 'no attestation',
      provider.state,
    ])
    for (const line of table([['PROVIDER', 'COUNTRY', 'OWNER', 'ATTESTATIONS', 'STATE'], ...rows])) ports.out(line)
  }
  return 0
}

export async function stopOne(ports: CliPorts, provider: string, { data, json }: Common): Promise<number> {
  const state = await ports.client(data).ask(stopProvider, { provider })
  ports.out(
    json ? JSON.stringify(state) : `${provider} is stopped, until you start it with: pelago provider start ${provider}`,
  )
  return 0
}

export async function startOne(ports: CliPorts, provider: string, { data, json }: Common): Promise<number> {
  const state = await ports.client(data).ask(startProvider, { provider })
  ports.out(json ? JSON.stringify(state) : `${provider} runs.`)
  return 0
}
