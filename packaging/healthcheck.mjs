// Asks the role of a configuration whether it lives: node healthcheck.mjs CONFIG. Ends with 0 when it says so.
import { readFileSync } from 'node:fs'
import { get as askPlainly } from 'node:http'
import { get as askSecurely } from 'node:https'

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const { host, port } = config.role === 'provider' ? config.shards : config.api
const near = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
// A gateway with a certificate shows it where it is not on loopback. Whether it is the right one is for clients to judge.
const secure = config.certificate !== undefined && !/^(127\.|::1$|localhost$)/.test(host)
const ask = secure ? askSecurely : askPlainly
const options = { host: near, port, path: '/healthz', timeout: 4000, rejectUnauthorized: false, agent: false }
const fail = (reason) => {
  console.error(`${config.role} on ${near}:${port}: ${reason}`)
  process.exitCode = 1
}
const request = ask(options, (answer) => {
  answer.resume()
  if (answer.statusCode !== 200) fail(`it answers ${answer.statusCode}`)
})
request.on('timeout', () => request.destroy(new Error('no answer in time')))
request.on('error', (error) => fail(error.message))
