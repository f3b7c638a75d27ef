import { readdirSync, readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { S3Client } from '@aws-sdk/client-s3'
import { type Pelago, startPelago } from '../acceptance/start-pelago.ts'
import { type PostgresServer, startPostgres } from '../tools/postgres.ts'

/** Everything that is tortured: real processes, as `pelago up` starts them. */
export type World = {
  postgres: PostgresServer
  pelago: Pelago
  /** A client of one gateway that asks once: whoever asks again decides that himself. */
  client(gateway: number): S3Client
  gateways: number
  /** The processes of a role that run now. */
  processes(role: 'gateway' | 'provider'): { name: string; pid: number }[]
  close(): Promise<void>
}

/** No answer within this counts as none, milliseconds. */
const answerMs = 12_000

export async function openWorld(gateways: number): Promise<World> {
  const postgres = await startPostgres()
  let pelago: Pelago
  try {
    const words = ['--gateways', String(gateways), '--separate-ports', '--postgres', postgres.url]
    pelago = await startPelago({ words })
  } catch (error) {
    await postgres.stop()
    throw error
  }
  const clients = pelago.endpoints.map(
    (endpoint) =>
      new S3Client({
        ...{ endpoint, region: pelago.region, forcePathStyle: true, maxAttempts: 1 },
        credentials: { accessKeyId: pelago.accessKeyId, secretAccessKey: pelago.secretAccessKey },
        requestHandler: {
          httpAgent: new Agent({ keepAlive: true, maxSockets: 64 }),
          ...{
            connectionTimeout: 3000,
            requestTimeout: answerMs,
            socketTimeout: answerMs,
            throwOnRequestTimeout: true,
          },
        },
      }),
  )
  return {
    ...{ postgres, pelago, gateways },
    client: (gateway) => clients[gateway % clients.length] as S3Client,
    processes: (role) => childrenOf(pelago.pid, role),
    async close() {
      for (const client of clients) client.destroy()
      await pelago.close()
      await postgres.stop()
    },
  }
}

function childrenOf(parent: number, role: 'gateway' | 'provider'): { name: string; pid: number }[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return []
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8')
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) !== parent) return []
      const name = /^pelago (gateway|provider) ([\w-]+)/.exec(readFileSync(`/proc/${entry}/cmdline`, 'utf8'))
      return name?.[1] === role ? [{ name: name[2] as string, pid: Number(entry) }] : []
    } catch {
      // It has ended meanwhile.
      return []
    }
  })
}
