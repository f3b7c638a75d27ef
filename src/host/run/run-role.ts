import { hasCode, PelagoError } from '#kernel'
import { systemClock } from '../clock.ts'
import { roleOf } from './configuration.ts'
import { openLog } from '../log.ts'
import type { Running } from './running.ts'

const stopMs = 8000

/**
 * Runs the role that a configuration is for, until the process is told to stop. Under a supervisor it says when it is
 * ready, or why it is not, and stops when the supervisor is gone.
 * @param logFile else the log goes to stderr
 */
export async function runRole(config: string, logFile: string | undefined): Promise<void> {
  const log = openLog(systemClock, logFile === undefined ? 'stderr' : { file: logFile })
  const { role, id } = roleOf(config)
  process.title = `pelago ${role} ${id}`.trim()
  process.on('unhandledRejection', (error) => crash(log.log, error))
  process.on('uncaughtException', (error) => crash(log.log, error))
  let running: Running
  try {
    running = await start(role, config, log)
  } catch (error) {
    log.log('error', 'role.unstarted', {
      reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
    })
    const taken = hasCode(error, 'port.taken')
    // What was opened before the failure would keep the process alive.
    const end = () => process.exit(1)
    const failed = { failed: error instanceof PelagoError ? error.message : String(error), taken }
    if (process.send) process.send(failed, undefined, undefined, end)
    else end()
    return
  }
  log.log('info', 'role.ready', { role, pid: process.pid })
  process.send?.({ ready: true })

  let stopping = false
  const stop = (why: string) => {
    if (stopping) return
    stopping = true
    log.log('info', 'role.stopping', { why })
    setTimeout(() => process.exit(1), stopMs).unref()
    running.stop().then(
      () => process.exit(0),
      (error: unknown) => crash(log.log, error),
    )
  }
  process.on('SIGTERM', () => stop('it was asked to'))
  // A Ctrl-C reaches the whole group; under a supervisor it is the supervisor that says when.
  process.on('SIGINT', () => process.connected || stop('Ctrl-C'))
  process.on('disconnect', () => stop('the supervisor is gone'))
}

async function start(
  role: ReturnType<typeof roleOf>['role'],
  config: string,
  log: ReturnType<typeof openLog>,
): Promise<Running> {
  switch (role) {
    case 'federation':
      return (await import('./run-federation.ts')).runFederation(config, log)
    case 'provider':
      return (await import('./run-provider.ts')).runProvider(config, log)
    case 'unwrap':
      return (await import('./run-unwrap.ts')).runUnwrap(config, log)
    case 'gateway':
      return (await import('./run-gateway.ts')).runGateway(config, log)
  }
}

/** Something that nobody foresaw: state in memory cannot be trusted any more, what is durable can. */
function crash(log: ReturnType<typeof openLog>['log'], error: unknown): void {
  log('error', 'role.crashed', { reason: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  process.exit(70)
}
