/** The words of the command line. */
export type { Callback, CliPorts, Common, UpOptions } from './ports.ts'
export { runCommand } from './run-command.ts'
