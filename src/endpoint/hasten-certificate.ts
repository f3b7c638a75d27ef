import { hastenJob, showJob } from '#work'
import { hasCode } from '#kernel'
import { certificateJobName } from './certificate-job.ts'
import type { EndpointPorts } from './ports.ts'
import { certificateId, type WantedCertificate } from './wanted.ts'

/**
 * Whoever changed what is wanted does not wait for the pause after a failure of something else. A gateway that starts again
 * with the same configuration changes nothing, however often it does so.
 */
export async function hastenCertificate(
  { clock, database }: Pick<EndpointPorts, 'clock' | 'database'>,
  wanted: WantedCertificate,
): Promise<void> {
  try {
    const { cursor } = await showJob({ database }, { tenant: '', house: true }, certificateJobName)
    if (!isFor(cursor, certificateId(wanted))) await database.transact(() => hastenJob(certificateJobName, clock.now()))
  } catch (error) {
    // The job is there once a gateway has begun to work.
    if (!hasCode(error, 'job.missing')) throw error
  }
}

function isFor(cursor: unknown, id: string): boolean {
  return typeof cursor === 'object' && cursor !== null && 'id' in cursor && cursor.id === id
}
