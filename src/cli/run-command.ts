import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { PelagoError } from '#kernel'
import { addApiCommands } from './api-commands.ts'
import { addJobCommands } from './job-commands.ts'
import { addLogCommands } from './log-commands.ts'
import { addMemberCommands } from './member-commands.ts'
import { addSignInCommands } from './sign-in-commands.ts'
import { addAccessCommands } from './access-commands.ts'
import { addQuotaCommands } from './quota.ts'
import { addKitCommands } from './kit-commands.ts'
import { addDatabaseCommands } from './database.ts'
import type { CliPorts, Common, UpOptions } from './ports.ts'

const usageCode = 2

/**
 * Runs one command line. Each command's code is loaded when it is called.
 * @param words without the program's name
 * @returns the exit code: 0 done, 1 refused or degraded, 2 not understood
 */
export async function runCommand(words: string[], ports: CliPorts): Promise<number> {
  let code = 0
  const program = new Command('pelago')
  program
    .description('A virtual hyperscaler: many providers, one S3 endpoint.')
    .exitOverride()
    .configureOutput({ writeOut: (text) => ports.out(text.trimEnd()), writeErr: (text) => ports.err(text.trimEnd()) })
    .showHelpAfterError('Add --help for what can be said.')

  const common = (command: Command) =>
    command
      .option('--data <DIR>', 'data folder of the Pelago that runs', './data')
      .option('--json', 'answer in JSON', false)
  const act =
    (work: (...words: never[]) => Promise<number>) =>
    async (...given: unknown[]) => {
      code = await (work as (...words: unknown[]) => Promise<number>)(...given)
    }

  common(program.command('up', { isDefault: true }))
    .description('start a whole federation on this machine')
    .option('--port <N>', 'port of the S3 endpoint; 0 takes any', portNumber, 9000)
    .option('--gateways <N>', 'processes that serve the S3 endpoint together', gatewayCount, 1)
    .option('--separate-ports', 'each gateway has an S3 port of its own; without, they share one', false)
    .option('--tls', 'roles speak TLS to each other; without, plainly, as nobody else is on the wire', false)
    .option('--postgres <URL>', 'keep the object index in this PostgreSQL database; the URL has no password in it')
    .option('--postgres-password-file <FILE>', 'where its password is')
    .option('--demand-kit', 'refuse buckets before a recovery kit was tested, as outside of a demo', false)
    .option('--pack-bytes <N>', 'objects up to this size share packs; 0 writes each for itself', byteCount)
    .option('--reset', 'delete all data first (asks)', false)
    .option('--yes', 'answer yes to what --reset asks', false)
    .action(act((options: UpOptions) => ports.up(options)))
  common(program.command('status'))
    .description('health in words')
    .option('--watch', 'go on, and say what becomes otherwise', false)
    .action(
      act(async (options: Common & { watch: boolean }) => {
        const { status, watch } = await import('./status.ts')
        return options.watch ? watch(ports, options) : status(ports, options)
      }),
    )

  const provider = program.command('provider').description('the providers of this federation')
  common(provider.command('list')).action(
    act(async (options: Common) => (await import('./provider.ts')).listThem(ports, options)),
  )
  common(provider.command('stop <name>')).action(
    act(async (name: string, options: Common) => (await import('./provider.ts')).stopOne(ports, name, options)),
  )
  common(provider.command('start <name>')).action(
    act(async (name: string, options: Common) => (await import('./provider.ts')).startOne(ports, name, options)),
  )

  addMemberCommands(program, provider, { common, act, ports })

  const bucket = program.command('bucket').description('buckets and where their bytes may lie')
  common(bucket.command('create <name>'))
    .option('--policy <FILE>', 'policy as JSON; a sensible default without')
    .addOption(etags())
    .action(
      act(async (name: string, options: Common & { policy?: string; etags?: 'md5' | 'opaque' }) =>
        (await import('./bucket.ts')).create(ports, name, options),
      ),
    )
  common(bucket.command('list'))
    .option('--prefix <TEXT>', 'those whose names begin so')
    .action(act(async (options: Common & { prefix?: string }) => (await import('./bucket.ts')).list(ports, options)))
  common(bucket.command('set <name>'))
    .description('change what holds for objects that are put from now on')
    .addOption(etags().makeOptionMandatory())
    .action(
      act(async (name: string, options: Common & { etags: 'md5' | 'opaque' }) =>
        (await import('./bucket.ts')).set(ports, name, options),
      ),
    )
  common(bucket.command('policy <name>'))
    .description('show the policy')
    .option('--set <FILE>', 'replace it')
    .action(
      act(async (name: string, options: Common & { set?: string }) =>
        (await import('./bucket.ts')).policy(ports, name, options),
      ),
    )
  addAccessCommands(program, bucket, { common, act, ports })

  const object = program.command('object').description('objects, addressed as s3://bucket/key')
  common(object.command('put <file> <address>')).action(
    act(async (file: string, address: string, options: Common) =>
      (await import('./object.ts')).put(ports, file, address, options),
    ),
  )
  common(object.command('get <address> [file]')).action(
    act(async (address: string, file: string | undefined, options: Common) =>
      (await import('./object.ts')).get(ports, address, file ?? '-', options),
    ),
  )
  common(object.command('list <address>')).action(
    act(async (address: string, options: Common) => (await import('./object.ts')).list(ports, address, options)),
  )
  common(object.command('where <address>'))
    .description('which shard is at whom, and why')
    .action(
      act(async (address: string, options: Common) => (await import('./object.ts')).where(ports, address, options)),
    )

  addLogCommands(program, ports, common, act)
  addKitCommands(program, ports, common, act)
  addDatabaseCommands(program, ports, common, act)
  addSignInCommands(program, ports, common, act)
  addApiCommands(program, ports, act)
  addJobCommands(program, ports, common, act)
  addQuotaCommands(program, ports, common, act)

  common(program.command('doctor'))
    .description('find out what is wrong, and what to do')
    .action(act(async (options: Common) => (await import('./doctor.ts')).doctor(ports, options)))
  const support = program.command('support').description('for whoever helps you')
  common(support.command('bundle <file>'))
    .description('settings, logs, numbers and findings in one file, without secrets and names; - writes it out')
    .action(act(async (file: string, options: Common) => (await import('./support.ts')).bundle(ports, file, options)))
  program
    .command('run')
    .description('run one role in this process')
    .requiredOption('--config <FILE>', 'its configuration')
    .option('--log <FILE>', 'its log; standard error without')
    .action(
      act(async (options: { config: string; log?: string }) => {
        await ports.run(options)
        return 0
      }),
    )

  try {
    await program.parseAsync(words, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageCode
    return refusal(error, words.includes('--json'), ports)
  }
}

const etags = () =>
  new Option(
    '--etags <KIND>',
    'md5 as S3 has it, or opaque: no MD5 where a checksum or a signed hash comes along',
  ).choices(['md5', 'opaque'])

function portNumber(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError('It must be from 0 to 65535.')
  return port
}

function gatewayCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1 || count > 64) throw new InvalidArgumentError('It must be from 1 to 64.')
  return count
}

function byteCount(text: string): number {
  const bytes = Number(text)
  if (!Number.isInteger(bytes) || bytes < 0 || bytes > 1024 * 1024)
    throw new InvalidArgumentError('It must be from 0 to 1048576.')
  return bytes
}

function refusal(error: unknown, json: boolean, ports: CliPorts): number {
  if (!(error instanceof PelagoError)) throw error
  const { code, message, retryable, details } = error
  if (json) ports.out(JSON.stringify({ error: { code, message, retryable, details } }))
  else ports.err(message)
  return 1
}
