import type { Command } from 'commander'
import type { CliPorts } from './ports.ts'
import { table } from './table.ts'

type Action = 'status' | 'migrate' | 'rollback'
type Options = { data: string; json: boolean; config?: string }
type Common = (command: Command) => Command
type Act = (work: (...words: never[]) => Promise<number>) => (...given: unknown[]) => Promise<void>

/** The tables of a gateway's databases. These commands open the databases themselves: they are for when no gateway runs. */
export function addDatabaseCommands(program: Command, ports: CliPorts, common: Common, act: Act): void {
  const database = program.command('database').description('the tables of a gateway’s databases, when it is updated')
  const add = (words: string, description: string) =>
    common(database.command(words))
      .description(description)
      .option('--config <FILE>', 'configuration of the gateway; that of the data folder without')
  add('status', 'which migrations the tables have, and which this program knows').action(
    act((options: Options) => tell(ports, 'status', options)),
  )
  add('migrate', 'bring the tables up to date; a gateway that starts does the same').action(
    act((options: Options) => tell(ports, 'migrate', options)),
  )
  add(
    'rollback <component>',
    'take the last migration back, so that the version before this one can be started',
  ).action(act((component: string, options: Options) => tell(ports, 'rollback', options, component)))
}

async function tell(ports: CliPorts, action: Action, options: Options, component?: string): Promise<number> {
  const config = options.config ?? `${options.data}/gateway/config.json`
  const states = await ports.database(action, { config, ...(component !== undefined && { component }) })
  if (options.json) ports.out(JSON.stringify({ databases: states }))
  else {
    const rows = states.map((state) => [
      state.store,
      state.component,
      String(state.found),
      String(state.known),
      stateText(state),
    ])
    for (const line of table([['DATABASE', 'COMPONENT', 'HAS', 'KNOWN', ''], ...rows])) ports.out(line)
  }
  return states.some(({ known, needs }) => known < needs) ? 1 : 0
}

function stateText({ found, known, needs }: { found: number; known: number; needs: number }): string {
  if (found < known) return 'older: a gateway that starts brings it up to date, or `pelago database migrate`'
  if (found === known) return 'up to date'
  return known < needs ? 'of a newer Pelago: this one cannot use it' : 'of a newer Pelago: this one can use it'
}
