/** The real world: adapters, processes, configuration. */
export { cliPorts } from './cli-ports.ts'
export { loadRoles } from './run/load-roles.ts'
