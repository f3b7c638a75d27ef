import type { Command } from 'commander'
import type { CliPorts, Common } from './ports.ts'

type Act = (work: (...words: never[]) => Promise<number>) => (...given: unknown[]) => Promise<void>

const verbs = { show: 'how far it is', cancel: 'end it', retry: 'take it up again where it stopped' } as const

/** `pelago jobs`, `pelago job …` */
export function addJobCommands(
  program: Command,
  ports: CliPorts,
  common: (command: Command) => Command,
  act: Act,
): void {
  common(program.command('jobs'))
    .description('background work and how far it is')
    .option('--all', 'the old ones too', false)
    .option('--watch', 'go on and say what becomes otherwise', false)
    .action(
      act(async (options: Common & { all: boolean; watch: boolean }) => {
        const { jobs, watch } = await import('./job.ts')
        return options.watch ? watch(ports, options) : jobs(ports, options)
      }),
    )
  const job = program.command('job').description('one piece of background work')
  for (const [verb, description] of Object.entries(verbs)) {
    common(job.command(`${verb} <job>`))
      .description(description)
      .action(
        act(async (id: string, options: Common) =>
          (await import('./job.ts'))[verb as keyof typeof verbs](ports, id, options),
        ),
      )
  }
}
