/** The words of the command line. */
export type { CliPorts, Common, UpOptions } from './ports.ts'
export { runCommand } from './run-command.ts'
