// Asks the role of a configuration whether it lives: node healthcheck.mjs CONFIG. Ends with 0 when it says so.
import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import { get as getSecurely } from 'node:https'
import { connect } from 'node:net'

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const place = config.report ?? (config.role === 'provider' ? config.shards : config.api)
const { host, port } = place
const near = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
const elsewhere = !/^(127\.|::1$|localhost$)/.test(host)
// A gateway with a certificate shows it where it is not on loopback; the other roles speak TLS there in any case.
const secure = config.role === 'gateway' ? config.certificate !== undefined && elsewhere : (place.tls ?? elsewhere)
const limitMs = 4000

const asked = () =>
  new Promise((resolve, reject) => {
    // Whether it lives is asked, and nothing told: who it is does not matter.
    const options = { host: near, port, path: '/healthz', timeout: limitMs, rejectUnauthorized: false }
    const request = (secure ? getSecurely : get)(options, (answer) => {
      answer.resume()
      if (answer.statusCode === 200) resolve()
      else reject(new Error(`it answers ${answer.statusCode}`))
    })
    request.on('timeout', () => request.destroy(new Error('it does not answer')))
    request.on('error', reject)
  })
/** A provider lets in gateways alone; where it has no `report`, all that can be seen is that it listens. */
const listens = () =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: near, port, timeout: limitMs }, () => socket.end(resolve))
    socket.on('timeout', () => socket.destroy(new Error('it does not answer')))
    socket.on('error', reject)
  })
try {
  await (config.role === 'provider' && secure && !config.report ? listens() : asked())
} catch (error) {
  console.error(`${config.role} on ${near}:${port}: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
process.exit(process.exitCode)
