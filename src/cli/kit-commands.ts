import type { Command } from 'commander'
import type { CliPorts, Common } from './ports.ts'

type Act = (work: (...words: never[]) => Promise<number>) => (...given: unknown[]) => Promise<void>
type Place = Common & { gatewayConfig?: string; unwrapConfig?: string }

/** `pelago recovery-kit …`: what gives everything back when the machine of the gateway is lost. */
export function addKitCommands(
  program: Command,
  ports: CliPorts,
  common: (command: Command) => Command,
  act: Act,
): void {
  const kit = program.command('recovery-kit').description('what gives everything back when this machine is lost')
  const placed = (command: Command) =>
    common(command)
      .option('--gateway-config <FILE>', 'configuration of the gateway; gateway/config.json of the data folder without')
      .option('--unwrap-config <FILE>', 'of the unwrap process; unwrap/config.json of the data folder without')
  common(kit.command('status'))
    .description('which kits there are, and whether one still fits')
    .action(act(async (options: Common) => (await import('./kit.ts')).kitStatus(ports, options)))
  placed(kit.command('make'))
    .description('write three files, of which any two give back the keys')
    .requiredOption('--out <DIR>', 'where to; not into a folder that is lost with the machine')
    .action(act(async (options: Place & { out: string }) => (await import('./kit.ts')).makeKit(ports, options)))
  placed(kit.command('test <file> <other>'))
    .description('open a kit with two of its files, and show the gateway that it was')
    .action(
      act(async (file: string, other: string, options: Place) =>
        (await import('./kit.ts')).testKit(ports, [file, other], options),
      ),
    )
  kit
    .command('restore <file> <other>')
    .description('put back what a kit holds, on a new machine')
    .requiredOption('--data <DIR>', 'a folder that has none of it')
    .option('--passphrase-file <FILE>', 'seal the root key with the passphrase in this file')
    .option('--json', 'answer in JSON', false)
    .action(
      act(async (file: string, other: string, options: Common & { passphraseFile?: string }) =>
        (await import('./kit.ts')).restoreKit(ports, [file, other], options),
      ),
    )
  common(kit.command('discard <kit>'))
    .description('note that all copies of a kit were destroyed')
    .action(act(async (id: string, options: Common) => (await import('./kit.ts')).discardKit(ports, id, options)))
}
