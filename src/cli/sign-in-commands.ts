import { type Command, InvalidArgumentError } from 'commander'
import type { CliPorts, Common } from './ports.ts'

type Act = (work: (...words: never[]) => Promise<number>) => (...given: unknown[]) => Promise<void>

/** `pelago login|logout|session …|admin …|recovery …|notices` */
export function addSignInCommands(
  program: Command,
  ports: CliPorts,
  common: (command: Command) => Command,
  act: Act,
): void {
  const session = () => import('./session.ts')
  const recovery = () => import('./recovery.ts')

  common(program.command('login'))
    .description('sign in here, by a code that is approved elsewhere')
    .option('--provider <ID>', 'with this identity provider instead')
    .option('--label <TEXT>', 'what the session is called in lists', 'pelago')
    .action(
      act(async (options: Common & { provider?: string; label: string }) => (await session()).login(ports, options)),
    )
  common(program.command('logout'))
    .description('end the session here')
    .action(act(async (options: Common) => (await session()).logout(ports, options)))
  common(program.command('notices'))
    .description('what all people of the tenant should know')
    .action(act(async (options: Common) => (await session()).notices(ports, options)))

  const sessions = program.command('session').description('who is signed in')
  common(sessions.command('list'))
    .option('--person <NAME>', 'somebody else; admins only')
    .action(act(async (options: Common & { person?: string }) => (await session()).list(ports, options)))
  common(sessions.command('end <id>')).action(
    act(async (id: string, options: Common) => (await session()).end(ports, id, options)),
  )
  common(sessions.command('approve <code>'))
    .description('let a program be signed in as you')
    .option('--yes', 'it is mine', false)
    .action(
      act(async (code: string, options: Common & { yes: boolean }) => (await session()).approve(ports, code, options)),
    )

  const admin = program.command('admin').description('who may come in')
  common(admin.command('code'))
    .description('a code for the first owner, on the machine itself')
    .action(act(async (options: Common) => (await session()).adminCode(ports, options)))
  common(admin.command('invite <person>'))
    .description('a code for a person who has nothing to sign in with')
    .action(act(async (person: string, options: Common) => (await session()).invite(ports, person, options)))

  const recover = program.command('recovery').description('who has lost all passkeys')
  common(recover.command('plan'))
    .description('show who helps, or say it anew')
    .option('--needed <N>', 'how many must agree', fewPeople)
    .option('--helpers <NAMES>', 'one more than are needed, separated by commas', (text: string) => text.split(','))
    .action(
      act(async (options: Common & { needed?: number; helpers?: string[] }) => (await recovery()).plan(ports, options)),
    )
  common(recover.command('request <person>')).action(
    act(async (person: string, options: Common) => (await recovery()).request(ports, person, options)),
  )
  common(recover.command('list')).action(act(async (options: Common) => (await recovery()).list(ports, options)))
  common(recover.command('approve <id>'))
    .description('once you have compared the words with the person')
    .action(act(async (id: string, options: Common) => (await recovery()).approve(ports, id, options)))
  common(recover.command('cancel <id>')).action(
    act(async (id: string, options: Common) => (await recovery()).cancel(ports, id, options)),
  )
  common(recover.command('complete <id>'))
    .requiredOption('--secret-file <FILE>', 'holds the secret that the request told')
    .action(
      act(async (id: string, options: Common & { secretFile: string }) =>
        (await recovery()).complete(ports, id, options),
      ),
    )
}

function fewPeople(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 2 || number > 16) throw new InvalidArgumentError('It must be from 2 to 16.')
  return number
}
