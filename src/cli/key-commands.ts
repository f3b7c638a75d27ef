import type { Command } from 'commander'
import type { CliPorts, Common } from './ports.ts'

type Act = (work: (...words: never[]) => Promise<number>) => (...given: unknown[]) => Promise<void>

/** `pelago key list`, `rotate`, `retire`, `erasures`: keys of buckets and the root key, beside access keys. */
export function addKeyCommands(
  key: Command,
  { common, act, ports }: { common(command: Command): Command; act: Act; ports: CliPorts },
): void {
  type Where = Common & { root?: boolean; packs?: boolean; unwrapConfig?: string; tenant?: string }
  common(key.command('list [bucket]'))
    .description('access keys; with a bucket, the epochs of its keys')
    .option('--root', 'root keys, and how much each wraps', false)
    .option('--tenant <NAME>', "access keys of another tenant than the data folder's own")
    .action(
      act(async (bucket: string | undefined, options: Where) => {
        const keys = await import('./key.ts')
        if (options.root) return keys.listRoots(ports, options)
        if (bucket !== undefined) return keys.listEpochsOf(ports, bucket, options)
        return (await import('./access.ts')).listKeys(ports, options)
      }),
    )
  common(key.command('rotate [bucket]'))
    .description('begin a new epoch of the keys of a bucket; nothing is written anew, the older keys are destroyed')
    .option('--packs', 'of the keys that prove the bytes of packs', false)
    .option('--root', 'make a new root key, here where its file lies', false)
    .option(
      '--unwrap-config <FILE>',
      'configuration of the unwrap process; unwrap/config.json of the data folder without',
    )
    .action(
      act(async (bucket: string | undefined, options: Where) =>
        (await import('./key.ts')).rotate(ports, bucket, options),
      ),
    )
  common(key.command('retire'))
    .description('take root keys that wrap nothing any more out of their file')
    .option(
      '--unwrap-config <FILE>',
      'configuration of the unwrap process; unwrap/config.json of the data folder without',
    )
    .action(act(async (options: Where) => (await import('./key.ts')).retireRoots(ports, options)))
  common(key.command('erasures'))
    .description('what was erased by the destruction of keys, in deleted buckets too')
    .action(act(async (options: Common) => (await import('./key.ts')).erasures(ports, options)))
}
