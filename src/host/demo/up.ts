import { join, resolve } from 'node:path'
import { localToken } from '#access'
import type { UpOptions } from '#cli'
import { logAct, logOperations, logStart, logStop } from '#roles'
import { openApiServer } from '../http/api-server.ts'
import { systemClock } from '../clock.ts'
import { resetDataFolder, takeDataFolder } from './data-folder.ts'
import { type DemoFederation, type DemoOptions, prepareDemo } from './demo-federation.ts'
import { hostError } from '../errors.ts'
import { isFree } from '../http/free-port.ts'
import { openLog } from '../log.ts'
import { postgresAddress } from '../database/postgres-address.ts'
import { supervisorChecks } from '../observe/role-checks.ts'
import { observeRole } from '../observe/observe-role.ts'
import { openRandom } from '../random.ts'
import { openOwnLog } from '../run/own-log.ts'
import { logsIn } from './reset-log.ts'
import { openSupervisor } from './supervisor.ts'
import { supervisorOperations } from './supervisor-operations.ts'
import { programVersion } from '../run/program-version.ts'
import { askOnTerminal } from './terminal.ts'
import { writePrivateJson } from '../disk/write-file.ts'

/**
 * Runs a whole federation on this machine until it is told to stop: takes the data folder, writes what is missing, starts
 * every process, says how to use it.
 * @returns the exit code
 */
export async function up(options: UpOptions): Promise<number> {
  const say = (sentence: string) => void (options.json ? process.stderr : process.stdout).write(`${sentence}\n`)
  const lost = options.reset ? logsIn(options.data) : []
  if (options.reset && !(await confirmReset(options, say))) return 1
  const startedAt = systemClock.now()
  const folder = takeDataFolder(options.data, startedAt)
  const log = openLog(systemClock, { file: join(folder.path, 'log', 'supervisor.log') })
  try {
    if (options.gateways > 1 && !options.separatePorts && process.platform !== 'linux')
      throw hostError('gateways.single', { platform: process.platform })
    if (options.port !== 0 && !(await isFree('127.0.0.1', options.port))) {
      const mend = 'Stop that program, or choose another port with --port N (--port 0 takes any that is free).'
      throw hostError('port.taken', { port: options.port, address: '127.0.0.1', use: 'it listens there already', mend })
    }
    const demo = await prepareDemo(folder.path, options.port, log.log, demoOptions(options))
    // Every process is the program that was started.
    const config = { entry: process.argv[1] as string, logFolder: join(folder.path, 'log') }
    const supervisor = openSupervisor({ clock: systemClock, log: log.log, say }, config, demo.processes)
    const stopped = toldToStop()
    const random = openRandom()
    const own = await openOwnLog(join(folder.path, 'supervisor'), { clock: systemClock, log: log.log, random })
    const name = { id: 'supervisor', role: 'supervisor', version: programVersion() } as const
    for (const { about, ...facts } of lost) await logAct(own, { topic: 'data.reset', about, actor: 'operator', facts })
    await logStart(own, name)
    const observed = observeRole('supervisor', undefined, log)
    const supervised = supervisorOperations({
      clock: systemClock,
      own,
      supervisor,
      demo,
      data: folder.path,
      startedAt,
      version: programVersion(),
    })
    const handlers = [...supervised, ...logOperations(own)]
    const ports = {
      handlers,
      authenticate: localToken(demo.token, 'operator'),
      clock: systemClock,
      random,
      log: log.log,
      report: observed.report,
      meter: observed.apiMeter,
    }
    observed.checks(async () => supervisorChecks(supervisor.list()))
    const api = await openApiServer(ports, { host: '127.0.0.1', port: demo.ports.supervisor })
    writePrivateJson(join(folder.path, 'run.json'), {
      ...{ version: 1, pid: process.pid, ports: demo.ports },
      ...(demo.secure && { secure: demo.secure }),
      ...(demo.authorityFile !== undefined && { authorityFile: demo.authorityFile }),
    })
    try {
      const starting = startAll(supervisor, demo)
      const outcome = await Promise.race([starting.then(() => 'ready' as const), stopped])
      if (outcome === 'ready') {
        if (options.json) process.stdout.write(`${JSON.stringify(readyFacts(demo, folder.path))}\n`)
        else say(welcome(demo, folder.path, options, systemClock.now() - startedAt))
        await stopped
      } else starting.catch(() => 'it was told to stop meanwhile')
      say('Stopping.')
    } finally {
      await supervisor.stopAll()
      await api.close()
      await logStop(own, name)
      await own.close()
      await observed.close()
    }
    say('Everything has stopped. The next start finds it as it was.')
    return 0
  } finally {
    log.close()
    folder.release()
  }
}

function demoOptions({
  gateways,
  separatePorts,
  demandKit,
  packBytes,
  postgres,
  postgresPasswordFile,
  tls,
}: UpOptions): DemoOptions {
  const index = postgres !== undefined && {
    // An address that is no URL is a file.
    postgres: URL.canParse(postgres) ? postgres : resolve(postgres),
    ...(postgresPasswordFile !== undefined && { passwordFile: resolve(postgresPasswordFile) }),
  }
  if (index) postgresAddress(index)
  return {
    gateways,
    separatePorts: separatePorts ?? false,
    kit: demandKit ?? false,
    tls: tls ?? false,
    ...(packBytes !== undefined && { packBytes }),
    ...(index && { index }),
  }
}

async function confirmReset(options: UpOptions, say: (sentence: string) => void): Promise<boolean> {
  const question = `This deletes everything that Pelago keeps in ${options.data}: all objects, keys and settings. Type yes to go on: `
  if (!options.yes && (await askOnTerminal(question)) !== 'yes') {
    say('Nothing was deleted. Without a terminal, --reset needs --yes.')
    return false
  }
  resetDataFolder(options.data)
  return true
}

async function startAll(supervisor: ReturnType<typeof openSupervisor>, demo: DemoFederation): Promise<void> {
  const of = (role: string) => demo.processes.filter((process) => process.role === role)
  await Promise.all([...of('federation'), ...of('unwrap'), ...of('provider')].map(({ name }) => supervisor.start(name)))
  // One after the other: the first one makes what all of them share.
  for (const { name } of of('gateway')) await supervisor.start(name)
}

/** Resolves at the first Ctrl-C or request to end; a second one changes nothing, because stopping is bounded. */
function toldToStop(): Promise<'stop'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve('stop'))
  })
}

/** By its name: passkeys are bound to names, not to addresses. */
const consoleOf = ({ gateway }: DemoFederation['ports']) => `http://localhost:${gateway}`

function readyFacts({ endpoints, access, region, secure, ports }: DemoFederation, data: string) {
  return {
    ready: true,
    pid: process.pid,
    data,
    s3: endpoints[0],
    endpoints,
    console: consoleOf(ports),
    ...(secure?.trust !== undefined && { trust: secure.trust }),
    region,
    accessKeyId: access.id,
    secretAccessKey: access.secret,
  }
}

function welcome(
  { endpoints, access, region, providers, processes, secure, ports }: DemoFederation,
  data: string,
  { port }: UpOptions,
  ms: number,
): string {
  const gateways = processes.filter(({ role }) => role === 'gateway').length
  const countries = new Set(providers.map(({ country }) => country)).size
  const flag = data === join(process.cwd(), 'data') ? '' : ` --data ${data}`
  const pelago = `node bin/pelago.mjs`
  return [
    '',
    `Pelago runs: one federation, ${providers.length} providers in ${countries} countries, ${gateways === 1 ? 'one gateway' : `${gateways} gateways`} (${processes.length} processes, ready after ${(ms / 1000).toFixed(1)} s).`,
    '',
    `  S3 endpoint        ${endpoints[0]}${port === 0 ? ' (any free port was asked for)' : ''}`,
    ...endpoints.slice(1).map((endpoint) => `  and                ${endpoint}`),
    ...(secure?.trust === undefined ? [] : [`  its certificate    trust ${secure.trust}`]),
    `  region             ${region}`,
    `  access key         ${access.id}`,
    `  secret access key  ${access.secret}`,
    `  data               ${data}`,
    `  console            ${consoleOf(ports)}  (the first time: ${pelago} admin code${flag})`,
    '',
    'Try, in another terminal:',
    '',
    `  ${pelago} bucket create holiday${flag}`,
    `  ${pelago} object put README.md s3://holiday/readme${flag}`,
    `  ${pelago} object where s3://holiday/readme${flag}`,
    '',
    `Any S3 client works too; it needs the four lines above. Ctrl-C stops everything.`,
  ].join('\n')
}
