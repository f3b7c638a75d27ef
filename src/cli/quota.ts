import { type Command, InvalidArgumentError } from 'commander'
import { type ApiQuota, listQuotas, setBucketQuota, setTenantQuota } from '#api'
import { sizeText } from '#kernel'
import { cliError } from './errors.ts'
import type { CliPorts, Common } from './ports.ts'
import { table } from './table.ts'

type Add = (command: Command) => Command
type Act = (work: (...words: never[]) => Promise<number>) => (...given: unknown[]) => Promise<void>
type Limits = Common & { tenant?: string; bucket?: string; bytes?: number; objects?: number; none: boolean }

/** The commands about how much may be stored. */
export function addQuotaCommands(program: Command, ports: CliPorts, common: Add, act: Act): void {
  const quota = program
    .command('quota')
    .description('how much a tenant may store, and how much there may be in a bucket')
  common(quota.command('show'))
    .description('the quotas of a tenant and of its buckets, and what is used')
    .option('--tenant <NAME>', "another tenant than the data folder's own")
    .action(act((options: Common & { tenant?: string }) => show(ports, options)))
  common(quota.command('set'))
    .description('set a quota; a limit that is not named does not hold any more')
    .option('--bucket <NAME>', 'the quota of this bucket')
    .option('--tenant <NAME>', 'the quota of this tenant, for all of its buckets together')
    .option('--bytes <SIZE>', 'such as 500MiB, 2TiB or a number of bytes', sizeOf)
    .option('--objects <N>', 'how many objects', countOf)
    .option('--none', 'no quota', false)
    .action(act((options: Limits) => set(ports, options)))
}

async function set(ports: CliPorts, { data, json, tenant, bucket, bytes, objects, none }: Limits): Promise<number> {
  if ((bucket === undefined) === (tenant === undefined))
    throw cliError('quota.words', { reason: 'Name a bucket or a tenant, one of the two.' })
  if (none === (bytes !== undefined || objects !== undefined))
    throw cliError('quota.words', { reason: 'Say --bytes, --objects or both; or --none.' })
  const limits = { bytes: bytes ?? null, objects: objects ?? null }
  const client = ports.client(data)
  if (bucket !== undefined) await client.ask(setBucketQuota, { name: bucket, ...limits })
  else if (tenant !== undefined) await client.ask(setTenantQuota, { tenant, ...limits })
  const whose = bucket === undefined ? `Tenant ${tenant ?? ''}` : `Bucket ${bucket}`
  const sentence = none
    ? `${whose} has no quota.`
    : `${whose} has a quota of ${limitText(limits)}. See: pelago quota show`
  ports.out(json ? JSON.stringify(limits) : sentence)
  return 0
}

async function show(ports: CliPorts, { data, json, tenant }: Common & { tenant?: string }): Promise<number> {
  const quotas: ApiQuota[] = []
  const input = { ...(tenant !== undefined && { tenant }), limit: 1000 }
  for await (const page of ports.client(data).pages(listQuotas, input)) quotas.push(...page.quotas)
  if (json) ports.out(JSON.stringify({ quotas }))
  else if (quotas.length === 0)
    ports.out('There is no quota. Set one with: pelago quota set --bucket NAME --bytes SIZE')
  else for (const line of table([['QUOTA OF', 'LIMIT', 'USED', ''], ...quotas.map(rowOf)])) ports.out(line)
  return 0
}

function rowOf(quota: ApiQuota): string[] {
  const { tenant, bucket, usedBytes, usedObjects, counting } = quota
  const used = `${sizeText(usedBytes)}, ${usedObjects} objects`
  return [
    bucket === null ? `tenant ${tenant}` : `bucket ${bucket}`,
    limitText(quota),
    used,
    counting ? 'is being counted' : '',
  ]
}

function limitText({ bytes, objects }: { bytes: number | null; objects: number | null }): string {
  const limits = [...(bytes === null ? [] : [sizeText(bytes)]), ...(objects === null ? [] : [`${objects} objects`])]
  return limits.join(', ')
}

const units = ['', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

function sizeOf(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([KMGTP]iB)?$/.exec(text) ?? []
  const bytes = Math.floor(Number(digits) * 1024 ** units.indexOf(unit))
  if (digits === '' || !Number.isSafeInteger(bytes))
    throw new InvalidArgumentError('It must be a number of bytes, or such as 500MiB or 2TiB.')
  return bytes
}

function countOf(text: string): number {
  const count = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count)) throw new InvalidArgumentError('It must be a whole number.')
  return count
}
