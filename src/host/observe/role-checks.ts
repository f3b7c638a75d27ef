import { statfsSync } from 'node:fs'
import type { ProcessStatus } from '#api'
import type { Directory } from '#pool'
import type { OpenStorage, ShardStoreStatus } from '#storage'
import type { Authority } from '#trust'
import type { Check } from './self-report.ts'

const good = (name: string, says: string): Check => ({ name, state: 'good', says })
/** A directory is signed anew after half of its thirty days; one that ends within this was not. */
const soonMs = 7 * 24 * 60 * 60 * 1000

/**
 * What a gateway needs. What all gateways miss at the same time is a warning: taking this one out would help nobody, and
 * reading goes on.
 */
export async function gatewayChecks(gateway: {
  storage: Pick<OpenStorage, 'report' | 'provider'>
  directory(): Directory
  now(): number
}): Promise<Check[]> {
  return [await indexCheck(gateway.storage), directoryCheck(gateway.directory(), gateway.now()), aliveCheck(gateway)]
}

async function indexCheck(storage: Pick<OpenStorage, 'report'>): Promise<Check> {
  try {
    const { degraded } = await storage.report()
    if (degraded === 0) return good('index', 'the index answers, and every promise is kept')
    return { name: 'index', state: 'warning', says: `${degraded} segments survive fewer losses than promised` }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { name: 'index', state: 'bad', says: `the index does not answer: ${reason}` }
  }
}

function directoryCheck({ version, expiresAt }: Directory, now: number): Check {
  const days = Math.floor((expiresAt - now) / (24 * 60 * 60 * 1000))
  const says = `version ${version} is good for new placement for ${days} more days`
  if (expiresAt - now > soonMs) return good('directory', says)
  if (expiresAt > now) return { name: 'directory', state: 'warning', says }
  return { name: 'directory', state: 'warning', says: `version ${version} has expired: nothing new is placed` }
}

function aliveCheck({ storage, directory }: Parameters<typeof gatewayChecks>[0]): Check {
  const { providers } = directory()
  const dark = providers.filter(({ id }) => storage.provider(id).state === 'dark')
  if (dark.length === 0) return good('providers', `all ${providers.length} answer`)
  return { name: 'providers', state: 'warning', says: `${dark.length} of ${providers.length} do not answer` }
}

/** What a provider needs: its disk. A full one still reads. */
export function providerChecks(folder: string, status: ShardStoreStatus, reserveBytes: number): Check[] {
  const checks: Check[] = []
  try {
    const { bavail, bsize } = statfsSync(folder)
    checks.push(
      bavail * bsize > reserveBytes
        ? good('disk', 'the disk answers and has room')
        : { name: 'disk', state: 'warning', says: 'the disk is full: no new shard is taken, reading goes on' },
    )
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown'
    checks.push({ name: 'disk', state: 'bad', says: `the folder of the shards does not answer (${reason})` })
  }
  const left = status.quotaBytes - status.usedBytes
  checks.push(
    left > 0 ? good('quota', 'the quota has room') : { name: 'quota', state: 'warning', says: 'the quota is used up' },
  )
  return checks
}

/** Whether the directory knows a member with the key that it has. Nobody takes its requests otherwise, or sends it any. */
export function memberCheck(
  members: readonly { id: string; publicKey: string }[],
  own: { id: string; publicKey: Uint8Array },
): Check {
  const entry = members.find(({ id }) => id === own.id)
  const name = 'enrolment'
  if (!entry)
    return { name, state: 'bad', says: `the directory does not list ${own.id}: it was revoked, or never joined` }
  if (entry.publicKey !== Buffer.from(own.publicKey).toString('hex'))
    return { name, state: 'bad', says: `the directory lists ${own.id} with another key: it joined again elsewhere` }
  return good(name, 'the directory lists it with its key')
}

/** What a federation needs: a directory that is good, and an authority that can still issue certificates. */
export function federationChecks(authority: Authority, directory: Directory, now: number): Check[] {
  const years = (authority.certificate.validToDate.getTime() - now) / (365 * 24 * 60 * 60 * 1000)
  const says = `the authority is good for ${years.toFixed(1)} more years`
  return [
    directoryCheck(directory, now),
    years > 1 ? good('authority', says) : { name: 'authority', state: 'warning', says: `${says}: plan another one` },
  ]
}

/** What the supervisor needs: that its processes run. */
export function supervisorChecks(processes: readonly ProcessStatus[]): Check[] {
  return processes.map(({ name, role, state, because }) => {
    if (state === 'running') return good(name, 'runs')
    return { name, state: role === 'provider' ? 'warning' : 'bad', says: `${state}: ${because}` }
  })
}
