// Asks the role of a configuration whether it lives: node healthcheck.mjs CONFIG. Ends with 0 when it says so.
import { readFileSync } from 'node:fs'

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const { host, port } = config.role === 'provider' ? config.shards : config.api
const near = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
try {
  const answer = await fetch(`http://${near.includes(':') ? `[${near}]` : near}:${port}/healthz`, {
    signal: AbortSignal.timeout(4000),
  })
  if (!answer.ok) throw new Error(`it answers ${answer.status}`)
} catch (error) {
  console.error(`${config.role} on ${near}:${port}: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
