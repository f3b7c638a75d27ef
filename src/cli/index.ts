/** The words of the command line. */
export type { Callback, CliPorts, Common, UpOptions, GatewayJoin, Joined, JoinOptions, ProviderJoin } from './ports.ts'
export { runCommand } from './run-command.ts'
