import { type Command, InvalidArgumentError, Option } from 'commander'
import { addKeyCommands } from './key-commands.ts'
import type { CliPorts } from './ports.ts'

type Act = (work: (...words: never[]) => Promise<number>) => (...given: unknown[]) => Promise<void>
type Module = typeof import('./access.ts')
const roles = ['owner', 'admin', 'operator', 'clerk', 'auditor', 'machine']

/**
 * The commands about tenants, people, keys and policies.
 * @param program.bucket the commands of buckets, of which one is about access
 */
export function addAccessCommands(
  program: Command,
  bucket: Command,
  { common, act, ports }: { common(command: Command): Command; act: Act; ports: CliPorts },
): void {
  /** Loads what does it when it is called, and hands it `first` and the words. Commander adds the command itself, behind. */
  const run = (name: keyof Module, ...first: string[]) =>
    act(async (...given: unknown[]) => {
      const work = (await import('./access.ts'))[name] as (...words: unknown[]) => Promise<number>
      return work(ports, ...first, ...given.slice(0, -1))
    })
  const within = (command: Command) =>
    common(command).option('--tenant <NAME>', "another tenant than the data folder's own")
  const state = () => new Option('--state <STATE>', 'whether anything may be done').choices(['active', 'disabled'])
  const role = () => new Option('--role <ROLE...>', 'what somebody is for the tenant').choices(roles)
  const policyOf = (noun: Command, kind: 'person' | 'group' | 'role') =>
    within(noun.command('policy <name>'))
      .description('show the policies, or set or delete one')
      .option('--name <POLICY>', 'which policy', 'main')
      .option('--set <FILE>', 'set it, in the language of S3')
      .option('--delete', 'delete it')
      .action(run('policy', kind))

  const tenant = program.command('tenant').description('tenants of this gateway')
  common(tenant.command('create <tenant>')).option('--name <TEXT>', 'what it is called').action(run('createTenant'))
  common(tenant.command('list')).action(run('listTenants'))
  common(tenant.command('set <tenant>'))
    .addOption(state())
    .addOption(new Option('--public <YES>', 'whether bucket policies may let in everybody').choices(['yes', 'no']))
    .action(run('setTenant'))
  common(tenant.command('revoke <tenant>')).description('end all sessions').action(run('revokeTenant'))

  const person = program.command('person').description('people and programs of a tenant')
  within(person.command('create <name>'))
    .addOption(role().makeOptionMandatory())
    .option('--email <ADDRESS>')
    .option('--display-name <TEXT>')
    .action(run('createPerson'))
  within(person.command('list')).action(run('listPeople'))
  within(person.command('set <name>')).addOption(role()).addOption(state()).action(run('setPerson'))
  within(person.command('revoke <name>')).description('end all sessions').action(run('revokePerson'))
  within(person.command('delete <name>')).action(run('deletePerson'))
  policyOf(person, 'person')

  const group = program.command('group').description('people who share policies')
  within(group.command('create <name>')).action(run('createGroup'))
  within(group.command('list')).action(run('listGroups'))
  within(group.command('delete <name>')).action(run('deleteGroup'))
  within(group.command('add <name> <person>')).action(run('addToGroup'))
  within(group.command('remove <name> <person>')).action(run('removeFromGroup'))
  policyOf(group, 'group')

  const key = program.command('key').description('access keys of S3, keys of buckets, and the root key above them')
  within(key.command('create <person>')).option('--note <TEXT>', 'what it is for').action(run('createKey'))
  addKeyCommands(key, { common, act, ports })
  for (const [word, to] of [
    ['enable', 'active'],
    ['disable', 'disabled'],
  ] as const)
    within(key.command(`${word} <key>`)).action(run('setKey', to))
  within(key.command('delete <key>')).action(run('deleteKey'))

  const sts = program.command('role').description('roles that are assumed for temporary credentials')
  within(sts.command('create <name>'))
    .requiredOption('--trust <FILE>', 'policy that says who may assume it')
    .option('--longest <SECONDS>', 'longest time of its credentials', seconds, 3600)
    .action(run('createRole'))
  within(sts.command('list')).action(run('listRoles'))
  within(sts.command('trust <name> <file>')).action(run('trustRole'))
  within(sts.command('revoke <name>')).description('end all its credentials').action(run('revokeRole'))
  within(sts.command('delete <name>')).action(run('deleteRole'))
  policyOf(sts, 'role')

  const issuer = program.command('issuer').description('issuers of tokens that are taken for temporary credentials')
  within(issuer.command('set <issuer>'))
    .requiredOption('--audience <NAME...>', 'for whom its tokens must be')
    .requiredOption('--keys <URL>', 'where its keys (JWKS) are')
    .action(run('setIssuer'))
  within(issuer.command('list')).action(run('listIssuers'))
  within(issuer.command('delete <issuer>')).action(run('deleteIssuer'))

  const access = bucket.command('access').description('who may use a bucket, in the language of S3')
  within(access.command('get <bucket>')).action(run('getBucketAccess'))
  within(access.command('set <bucket> <file>')).action(run('setBucketAccess'))
  within(access.command('delete <bucket>')).action(run('deleteBucketAccess'))
}

function seconds(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 900 || count > 43_200)
    throw new InvalidArgumentError('It must be from 900 to 43200.')
  return count
}
