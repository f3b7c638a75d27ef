import { type Command, InvalidArgumentError, Option } from 'commander'
import type { CliPorts } from './ports.ts'

type Act = (work: (...words: never[]) => Promise<number>) => (...given: unknown[]) => Promise<void>
type LogVerbs = typeof import('./log.ts')

/** `pelago log …` */
export function addLogCommands(
  program: Command,
  ports: CliPorts,
  common: (command: Command) => Command,
  act: Act,
): void {
  const log = program.command('log').description('the log of administrative and security acts')
  const withServer = (command: Command) =>
    common(command).addOption(
      new Option('--of <SERVER>', 'whose log').choices(['gateway', 'supervisor', 'federation']).default('gateway'),
    )
  withServer(log.command('list'))
    .description('show what was done')
    .option('--after <N>', 'go on behind entry N', wholeNumber, 0)
    .option('--limit <N>', 'entries at most', pageSize, 200)
    .option('--topic <TOPIC>', 'of this topic alone')
    .option('--name <NAME>', 'what is about a bucket or person of this name')
    .action(act(async (options: Parameters<LogVerbs['list']>[1]) => (await import('./log.ts')).list(ports, options)))
  withServer(log.command('verify'))
    .description('check the whole log here, entry by entry; or a proof in a file')
    .option('--offline <FILE>', 'check this proof and ask nobody')
    .option('--log <NAME>', 'name of the log that it must be')
    .action(
      act(async (options: Parameters<LogVerbs['verify']>[1]) => (await import('./log.ts')).verify(ports, options)),
    )
  withServer(log.command('prove'))
    .description('write a proof of one entry to a file')
    .argument('<number>', 'number of the entry', wholeNumber)
    .option('--to <FILE>', 'file; - for standard output')
    .option(
      '--earlier <SIZE>',
      'show that the log goes on from its head of this size; its first one without',
      wholeNumber,
    )
    .action(
      act(async (number: number, options: Parameters<LogVerbs['prove']>[2]) =>
        (await import('./log.ts')).prove(ports, number, options),
      ),
    )
  withServer(log.command('rotate'))
    .description('sign with a new key from here on')
    .action(
      act(async (options: Parameters<LogVerbs['rotate']>[1]) => (await import('./log.ts')).rotate(ports, options)),
    )
}

function wholeNumber(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 0) throw new InvalidArgumentError('It must be a whole number.')
  return number
}

function pageSize(text: string): number {
  const number = wholeNumber(text)
  if (number < 1 || number > 1000) throw new InvalidArgumentError('It must be from 1 to 1000.')
  return number
}
