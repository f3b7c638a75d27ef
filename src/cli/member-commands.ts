import { type Command, InvalidArgumentError } from 'commander'
import type { CliPorts, Common, GatewayJoin, ProviderJoin } from './ports.ts'
import type { FactOptions, InviteOptions } from './member.ts'

type Act = (work: (...words: never[]) => Promise<number>) => (...given: unknown[]) => Promise<void>

/**
 * `pelago federation …`, `pelago gateway …`, `pelago member …`, and what of `pelago provider …` is about joining.
 * @param provider the commands of providers
 */
export function addMemberCommands(
  program: Command,
  provider: Command,
  { common, act, ports }: { common(command: Command): Command; act: Act; ports: CliPorts },
): void {
  const member = () => import('./member.ts')
  const again = (command: Command) =>
    common(command).option('--again', 'it is enrolled, and comes with other keys or another address', false)
  const newKeys = (command: Command) =>
    common(command).option('--new-keys', 'put the keys of before aside and make others', false)

  const federation = program.command('federation').description('who belongs to the federation')
  common(federation.command('init'))
    .description('make the folder of a federation')
    .requiredOption('--url <URL>', 'where other machines reach it, such as http://10.7.0.1:4200')
    .option('--listen <HOST:PORT>', 'where it listens, if that is elsewhere')
    .action(
      act(async (options: Common & { url: string; listen?: string }) =>
        (await member()).initFederation(ports, options),
      ),
    )

  const gateway = program.command('gateway').description('gateways of the federation')
  again(gateway.command('invite <gateway>'))
    .description('make the code by which it joins; at the federation')
    .action(act(async (id: string, options: InviteOptions) => (await member()).inviteAsGateway(ports, id, options)))
  newKeys(gateway.command('join <code>'))
    .description('join a federation from this machine, and make the folder of the gateway')
    .option('--s3 <HOST:PORT>', 'where S3 listens; 127.0.0.1:9000 without')
    .option('--api <HOST:PORT>', 'where its API listens; 127.0.0.1:4100 without')
    .option('--region <NAME>', 'region of S3; eu-central-1 without')
    .option('--hostname <NAME...>', 'names under which S3 is reached')
    .option('--unwrap <DIR>', 'folder of the process that holds the root key; `unwrap` beside DIR without')
    .option('--unwrap-socket <PATH>', 'where that process listens, if not in its folder')
    .option('--passphrase-file <FILE>', 'holds the passphrase that seals the root key')
    .action(
      act(async (code: string, options: GatewayJoin & Common) => (await member()).joinAsGateway(ports, code, options)),
    )
  common(gateway.command('list')).action(
    act(async (options: Common) => (await member()).list(ports, 'gateway', options)),
  )
  common(gateway.command('revoke <gateway>'))
    .description('end it: providers refuse it within seconds')
    .action(act(async (id: string, options: Common) => (await member()).revoke(ports, 'gateway', id, options)))

  again(provider.command('invite <provider>'))
    .description('make the code by which it joins, and say what is stated about it; at the federation')
    .requiredOption('--name <TEXT>', 'what it is called')
    .requiredOption('--country <CC>', 'where the bytes lie')
    .requiredOption('--owner <TEXT>', 'who owns it in the end')
    .requiredOption('--owner-country <CC>', 'country of the owner')
    .option('--attestation <NAME...>', 'such as ISO27001')
    .action(act(async (id: string, options: FactOptions) => (await member()).inviteAsProvider(ports, id, options)))
  newKeys(provider.command('join <code>'))
    .description('join a federation from this machine, and make the folder of the provider')
    .requiredOption('--endpoint <URL>', 'where gateways reach it, such as http://10.7.0.2:4300')
    .option('--listen <HOST:PORT>', 'where it listens, if that is elsewhere')
    .option('--quota <BYTES>', 'what it takes at the most; nine tenths of what is free without', byteCount)
    .action(
      act(async (code: string, options: ProviderJoin & Common) =>
        (await member()).joinAsProvider(ports, code, options),
      ),
    )
  common(provider.command('revoke <provider>'))
    .description('end it: nothing is placed there any more')
    .action(act(async (id: string, options: Common) => (await member()).revoke(ports, 'provider', id, options)))

  const members = program.command('member').description('who is enrolled')
  common(members.command('list')).action(
    act(async (options: Common) => (await member()).list(ports, undefined, options)),
  )
}

function byteCount(text: string): number {
  const bytes = Number(text)
  if (!Number.isSafeInteger(bytes) || bytes < 1) throw new InvalidArgumentError('It must be a number of bytes.')
  return bytes
}
