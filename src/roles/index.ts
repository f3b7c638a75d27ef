/** Compositions of planes; ports are handed in, so the simulator composes the same. */
export { type Federation, type FederationPorts, openFederation } from './federation.ts'
export { type Gateway, type GatewayConfig, type GatewayPorts, openGateway } from './gateway.ts'
export { workMetrics } from './measured-jobs.ts'
export { signInOperations } from './sign-in-operations.ts'
export { type ApiCall, type Handler, handles, type StreamEvent, streams } from './handler.ts'
export { logOperations } from './log-operations.ts'
export { directoryFacts, logAct, logStart, logStop, type RoleLog, type RoleName } from './role-log.ts'
export { openWatch, type Watch } from './watch.ts'
