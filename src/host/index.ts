/** The real world: adapters, processes, configuration. */
export { cliPorts } from './cli-ports.ts'
