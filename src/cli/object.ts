import { type Output, whereObject } from '#api'
import { parseAddress } from '#client'
import { sizeText } from '#kernel'
import { cliError } from './errors.ts'
import type { CliPorts, Common } from './ports.ts'
import { table } from './table.ts'

export async function put(ports: CliPorts, file: string, address: string, { data, json }: Common): Promise<number> {
  const target = objectAddress(address)
  const source = await ports.source(file)
  const { etag } = await ports.objects(data).put(target, source)
  ports.out(
    json
      ? JSON.stringify({ ...target, size: source.size, etag })
      : `${sizeText(source.size)} are stored as ${address}.`,
  )
  return 0
}

export async function get(ports: CliPorts, address: string, file: string, { data, json }: Common): Promise<number> {
  const target = objectAddress(address)
  const { size, etag, body } = await ports.objects(data).get(target)
  await ports.save(file, body)
  if (file === '-') return 0
  ports.out(json ? JSON.stringify({ ...target, size, etag, file }) : `${sizeText(size)} of ${address} are in ${file}.`)
  return 0
}

export async function list(ports: CliPorts, address: string, { data, json }: Common): Promise<number> {
  for await (const object of ports.objects(data).list(parseAddress(address))) {
    ports.out(
      json
        ? JSON.stringify(object)
        : `${object.modifiedAt.slice(0, 19)}  ${sizeText(object.size).padStart(10)}  ${object.key}`,
    )
  }
  return 0
}

export async function where(ports: CliPorts, address: string, { data, json }: Common): Promise<number> {
  const found = await ports.client(data).ask(whereObject, objectAddress(address))
  if (json) ports.out(JSON.stringify(found))
  else for (const line of whereLines(found)) ports.out(line)
  return 0
}

/** Which shard is at whom, why there, and why not elsewhere. */
export function whereLines(found: Output<typeof whereObject>): string[] {
  const lines = [`s3://${found.bucket}/${found.key}: ${sizeText(found.size)}, version ${found.version.slice(0, 8)}`]
  if (found.segments.length === 0) lines.push('It is empty: no provider holds anything of it.')
  found.segments.forEach((segment, at) => {
    const left = segment.margin < 0 ? 'cannot be read now' : `survives ${segment.margin} more losses`
    lines.push(
      '',
      `Segment ${at + 1} of ${found.segments.length}: ${sizeText(segment.bytes)}, any ${segment.data} of ${segment.data + segment.parity} shards are enough, ${left}`,
    )
    const rows = segment.shards.map((shard) => [
      String(shard.index),
      shard.index < segment.data ? 'data' : 'parity',
      shard.provider,
      shard.country,
      shard.owner,
      shard.state,
      shard.because,
    ])
    lines.push(...table([['SHARD', 'KIND', 'PROVIDER', 'COUNTRY', 'OWNER', 'STATE', 'WHY'], ...rows]))
  })
  if (found.refused.length > 0) {
    lines.push(
      '',
      'Refused by the policy:',
      ...table(found.refused.map(({ provider, reason }) => [`  ${provider}`, reason])),
    )
  }
  if (found.idle.length > 0) {
    lines.push(
      '',
      'Allowed, but not used:',
      ...table(found.idle.map(({ provider, reason }) => [`  ${provider}`, reason])),
    )
  }
  return lines
}

function objectAddress(address: string): { bucket: string; key: string } {
  const parsed = parseAddress(address)
  if (parsed.key === '') throw cliError('address.keyless', { bucket: parsed.bucket })
  return parsed
}
