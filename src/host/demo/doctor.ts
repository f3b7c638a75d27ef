import { statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Finding } from '#api'
import type { Clock } from '#kernel'
import type { DemoFederation } from './demo-federation.ts'
import { handshake } from '../tls/handshake.ts'
import { askDemo, askRoles, roleFindings } from './role-findings.ts'
import type { Supervisor } from './supervisor.ts'

type Ports = { clock: Clock; supervisor: Supervisor; demo: DemoFederation; data: string }

const answerMs = 3000
const lowBytes = 2 * 1024 ** 3
const skewMs = 60_000

/** Examines what usually goes wrong, one step at a time; each finding says what to do. */
export async function runDoctor(ports: Ports): Promise<Finding[]> {
  const steps = [
    node(),
    disk(ports.data),
    secrets(ports.data),
    ...processes(ports),
    ...(await Promise.all(
      ports.demo.processes
        .filter(({ role }) => role === 'provider')
        .map(({ name, about }) => answers(`provider ${name}`, `${about}/healthz`)),
    )),
    await s3Answers(ports),
    await directory(ports),
    ...roleFindings(await askRoles(ports.clock, ports.demo), ports.clock.now()),
  ]
  return steps
}

const good = (step: string, says: string): Finding => ({ step, state: 'good', says, mend: '' })

function node(): Finding {
  const major = Number(process.versions.node.split('.')[0])
  if (major >= 26) return good('Node', `runs on Node ${process.versions.node}`)
  return {
    step: 'Node',
    state: 'bad',
    says: `runs on Node ${process.versions.node}`,
    mend: 'Start Pelago with npm start.',
  }
}

function disk(data: string): Finding {
  const { bavail, bsize } = statfsSync(data)
  const free = `${((bavail * bsize) / 1024 ** 3).toFixed(1)} GiB are free for ${data}`
  if (bavail * bsize > lowBytes) return good('disk', free)
  return { step: 'disk', state: 'warning', says: free, mend: 'Free some space; writes are refused when it runs out.' }
}

function secrets(data: string): Finding {
  const files = [
    'api-token',
    'unwrap/root.key',
    'unwrap/key.pem',
    'gateway/access.json',
    'gateway/key.pem',
    'gateway/identity.pem',
    'federation/key.pem',
    'federation/authority-key.pem',
  ]
  const open = files.filter((file) => statSync(join(data, file)).mode & 0o077)
  if (open.length === 0) return good('secrets', 'files with keys can be read by this user alone')
  return {
    step: 'secrets',
    state: 'bad',
    says: `others can read ${open.join(', ')}`,
    mend: `chmod 600 ${open.join(' ')}`,
  }
}

function processes({ supervisor }: Ports): Finding[] {
  return supervisor.list().map(({ name, role, state, because }) => {
    if (state === 'running') return good(`process ${name}`, 'runs')
    const mend =
      role === 'provider'
        ? `pelago provider start ${name}`
        : `It is started again by itself; its log is log/${name}.log.`
    return {
      step: `process ${name}`,
      state: role === 'provider' ? 'warning' : 'bad',
      says: `${state}: ${because}`,
      mend,
    }
  })
}

/** Whether something answers there; what it says does not matter. */
async function answers(step: string, url: string): Promise<Finding> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerMs) })
    await response.body?.cancel()
    return good(step, `answers at ${new URL(url).host}`)
  } catch (error) {
    const says = `does not answer at ${new URL(url).host} (${error instanceof Error ? error.message : String(error)})`
    return { step, state: 'warning', says, mend: 'See the process of that name above.' }
  }
}

/** Whether S3 answers. Over TLS a handshake is enough: what the gateway says of its certificate is told by its own check. */
async function s3Answers({ demo }: Ports): Promise<Finding> {
  const step = 'S3 endpoint'
  const { secure } = demo
  if (!secure) return answers(step, `http://127.0.0.1:${demo.ports.s3}/`)
  const host = `127.0.0.1:${demo.ports.s3}`
  const failed = await handshake(demo.ports.s3, secure.name, answerMs)
  if (failed === undefined) return good(step, `answers at ${host} with TLS`)
  const says = `does not answer at ${host} with TLS (${failed})`
  return { step, state: 'warning', says, mend: 'See the process gateway, and what it says of s3-certificate.' }
}

async function directory({ clock, demo }: Ports): Promise<Finding> {
  const step = 'directory'
  try {
    const { body } = await askDemo(clock, demo, { url: demo.federation, path: '/v1/directory' })
    const { directory } = JSON.parse(body) as {
      directory: { version: number; issuedAt: number; expiresAt: number }
    }
    if (directory.issuedAt > clock.now() + skewMs) {
      return { step, state: 'bad', says: 'it was signed in the future', mend: 'Set the clock of this machine.' }
    }
    const days = Math.floor((directory.expiresAt - clock.now()) / 86_400_000)
    return good(step, `version ${directory.version}, good for new placement for ${days} more days`)
  } catch (error) {
    const says = `the federation does not answer (${error instanceof Error ? error.message : String(error)})`
    return {
      step,
      state: 'warning',
      says,
      mend: 'The gateway goes on with its copy; see the process federation above.',
    }
  }
}
