import { existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { arch, cpus, freemem, release, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Clock, Json } from '#kernel'
import type { DemoFederation } from './demo-federation.ts'
import { runDoctor } from './doctor.ts'
import { openRedaction, type Redaction } from './redaction.ts'
import { askRoles } from './role-findings.ts'
import type { Supervisor } from './supervisor.ts'

type Ports = {
  clock: Clock
  supervisor: Supervisor
  demo: DemoFederation
  data: string
  startedAt: number
  version: string
}

/** So much of the end of each log goes along. */
const logBytes = 512 * 1024

/**
 * All that somebody who helps from afar wants to see, in one JSON document: versions, machine, configuration, processes,
 * readiness, findings, numbers, the ends of the logs. Never content, keys, tokens, or names of buckets, objects and people: what is
 * not known to be harmless is withheld.
 */
export async function supportBundle(ports: Ports): Promise<Json> {
  const { clock, supervisor, demo, data, startedAt, version } = ports
  const redaction = openRedaction(secretsOf(data))
  const answers = await askRoles(clock, demo)
  const { bavail, blocks, bsize } = statfsSync(data)
  const configurations = demo.processes.map(({ name, config }) => [name, redaction.configuration(jsonOf(config))])
  const settings = join(data, 'settings.json')
  return {
    bundle: 1,
    createdAt: new Date(clock.now()).toISOString(),
    startedAt: new Date(startedAt).toISOString(),
    versions: { pelago: version, node: process.versions.node, sqlite: process.versions.sqlite ?? '' },
    machine: {
      platform: process.platform,
      release: release(),
      arch: arch(),
      processors: cpus().length,
      memoryBytes: totalmem(),
      freeBytes: freemem(),
      disk: { freeBytes: bavail * bsize, totalBytes: blocks * bsize },
    },
    settings: existsSync(settings) ? redaction.configuration(jsonOf(settings)) : null,
    configurations: Object.fromEntries(configurations) as Record<string, Json>,
    processes: supervisor.list().map(({ because, ...process }) => ({ ...process, because: redaction.text(because) })),
    findings: (await runDoctor(ports)).map((finding) => ({ ...finding, says: redaction.text(finding.says) })),
    ready: Object.fromEntries(answers.map(({ plan, ready }) => [plan.name, (ready ?? null) as Json])),
    metrics: Object.fromEntries(answers.map(({ plan, metrics }) => [plan.name, metrics ?? null])),
    logs: await logsOf(join(data, 'log'), redaction),
  }
}

const jsonOf = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Json

/** What must not go out whatever it stands in: all that files with secrets hold. */
function secretsOf(data: string): string[] {
  const files = ['api-token', 'unwrap/root.key', 'gateway/access.json'].map((file) => join(data, file))
  return files.filter(existsSync).flatMap((file) => {
    const text = readFileSync(file, 'utf8')
    return text.startsWith('{') ? stringsOf(JSON.parse(text) as Json) : [text.trim()]
  })
}

/** Only long ones: a tenant's short name is no secret, and is found in half of all words. */
const shortest = 12

function stringsOf(value: Json): string[] {
  if (typeof value === 'string') return value.length >= shortest ? [value] : []
  if (Array.isArray(value)) return value.flatMap(stringsOf)
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(stringsOf) : []
}

async function logsOf(folder: string, redaction: Redaction): Promise<Record<string, Json>> {
  const logs: Record<string, Json> = {}
  for (const file of existsSync(folder) ? readdirSync(folder) : []) {
    if (file.endsWith('.log')) logs[file] = (await endOf(join(folder, file))).map((line) => redaction.line(line))
  }
  return logs
}

/** Whole lines of the end of a file. */
async function endOf(file: string): Promise<string[]> {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    const from = Math.max(0, size - logBytes)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - from), 0, size - from, from)
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n')
    return lines.slice(from > 0 ? 1 : 0).filter((line) => line !== '')
  } finally {
    await handle.close()
  }
}
