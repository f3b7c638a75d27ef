import {
  type ApiBucket,
  type ApiPolicy,
  createBucket,
  getBucketPolicy,
  listBuckets,
  setBucketEtags,
  setBucketPolicy,
} from '#api'
import type { Json } from '#kernel'
import { cliError } from './errors.ts'
import type { CliPorts, Common } from './ports.ts'
import { table } from './table.ts'

type Etags = 'md5' | 'opaque'

export async function create(
  ports: CliPorts,
  name: string,
  { data, json, policy, etags }: Common & { policy?: string; etags?: Etags },
): Promise<number> {
  const document = policy === undefined ? {} : { policy: await policyOf(ports, policy) }
  const input = { name, ...document, ...(etags && { etags }) }
  const bucket = await ports.client(data).ask(createBucket, input)
  ports.out(json ? JSON.stringify(bucket) : `Bucket ${name} is there. ${policyText(bucket.policy)}`)
  return 0
}

/** All of them; they come in pages. */
export async function list(
  ports: CliPorts,
  { data, json, prefix = '' }: Common & { prefix?: string },
): Promise<number> {
  const buckets: ApiBucket[] = []
  for await (const page of ports.client(data).pages(listBuckets, { prefix, limit: 1000 })) buckets.push(...page.buckets)
  if (json) ports.out(JSON.stringify({ buckets }))
  else if (buckets.length === 0)
    ports.out(
      prefix === ''
        ? 'There is no bucket yet. Create one with: pelago bucket create NAME'
        : `No bucket begins with ${prefix}.`,
    )
  else {
    const rows = buckets.map(({ name, createdAt, policy, etags }) => [
      name,
      new Date(createdAt).toISOString().slice(0, 16),
      etags,
      policyText(policy),
    ])
    for (const line of table([['BUCKET', 'CREATED', 'ETAGS', 'POLICY'], ...rows])) ports.out(line)
  }
  return 0
}

/** What ETags the bucket's objects have; `etags` are checked by the command line and again by the server. */
export async function set(
  ports: CliPorts,
  name: string,
  { data, json, etags }: Common & { etags: Etags },
): Promise<number> {
  const bucket = await ports.client(data).ask(setBucketEtags, { name, etags })
  ports.out(json ? JSON.stringify(bucket) : `Objects put into ${name} from now on have ${etags} ETags.`)
  return 0
}

/** Shows the policy as a document, or replaces it. */
export async function policy(
  ports: CliPorts,
  name: string,
  { data, json, set }: Common & { set?: string },
): Promise<number> {
  const client = ports.client(data)
  if (set === undefined) {
    const document = await client.ask(getBucketPolicy, { name })
    ports.out(JSON.stringify(document, null, json ? 0 : 2))
    return 0
  }
  const bucket = await client.ask(setBucketPolicy, { name, policy: await policyOf(ports, set) })
  ports.out(json ? JSON.stringify(bucket) : `${policyText(bucket.policy)} What lies elsewhere is moved by itself.`)
  return 0
}

async function policyOf(ports: CliPorts, file: string): Promise<Json> {
  try {
    return JSON.parse(await ports.readText(file)) as Json
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw cliError('policy.unreadable', { file, reason: error.message }, error)
  }
}

/** A policy in one sentence. */
export function policyText(policy: ApiPolicy): string {
  const { jurisdictions, ownersRefused, attestations, survive } = policy
  const loss = `${survive.providers} ${survive.providers === 1 ? 'provider' : 'providers'}`
  return [
    `In ${jurisdictions.join(', ')}`,
    ...(ownersRefused.length > 0 ? [`no owners from ${ownersRefused.join(', ')}`] : []),
    ...(attestations.length > 0 ? [`attested ${attestations.join(' and ')}`] : []),
    `survives the loss of ${loss}${survive.countries > 0 ? ` or ${survive.countries} countries` : ''}.`,
  ].join('; ')
}
