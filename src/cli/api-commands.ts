import { type Command, Option } from 'commander'
import { type Contract, matrixOf, matrixText, openApiOf, operations, referenceOf, type ServerName } from '#api'
import type { CliPorts } from './ports.ts'

type Options = { server?: ServerName; json: boolean }

/** `pelago api …`: the contract in three forms. It is derived here, so nothing needs to run. */
export function addApiCommands(
  program: Command,
  ports: CliPorts,
  act: (work: (...words: never[]) => Promise<number>) => (...words: unknown[]) => Promise<void>,
): void {
  const api = program.command('api').description('what can be asked over HTTP')
  const add = (name: string, description: string, print: (contract: Contract, json: boolean) => string) =>
    api
      .command(name)
      .description(description)
      .addOption(new Option('--server <NAME>', 'only what it answers').choices(['gateway', 'supervisor', 'federation']))
      .option('--json', 'answer in JSON', false)
      .action(
        act(async ({ server, json }: Options) => {
          ports.out(print({ ...(await ports.contract()), operations: operationsOf(server) }, json))
          return 0
        }),
      )
  add('openapi', 'print the OpenAPI document', (contract) => JSON.stringify(openApiOf(contract), null, 2))
  add('docs', 'print the reference in Markdown', (contract, json) =>
    json ? JSON.stringify(referenceOf(contract)) : referenceOf(contract),
  )
  add('matrix', 'print which role may ask what', (contract, json) =>
    json ? JSON.stringify(matrixOf(contract)) : matrixText(contract),
  )
}

function operationsOf(server: ServerName | undefined): Contract['operations'] {
  return Object.values(operations).filter(
    (operation) => server === undefined || operation.server === 'every' || operation.server === server,
  )
}
