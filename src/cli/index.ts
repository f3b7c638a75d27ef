/** The words of the command line. */
export type {
  Callback,
  CliPorts,
  Common,
  GatewayJoin,
  Joined,
  JoinOptions,
  KeyTools,
  KitPlace,
  ProviderJoin,
  RootPlace,
  UpOptions,
} from './ports.ts'
export { runCommand } from './run-command.ts'
