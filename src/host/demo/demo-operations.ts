import { startDemoProvider, startProvider, stopDemoProvider, stopProvider } from '#api'
import type { Client } from '#client'
import { type Handler, handles } from '#roles'

/**
 * What a gateway of the demo hands on to the supervisor: whoever may run things here may stop an invented provider and watch what
 * happens.
 * @param supervisor asks as the machine itself
 */
export function demoOperations(supervisor: Pick<Client, 'ask'>): Handler[] {
  return [
    handles(stopDemoProvider, ({ signal }, input) => supervisor.ask(stopProvider, input, { signal })),
    handles(startDemoProvider, ({ signal }, input) => supervisor.ask(startProvider, input, { signal })),
  ]
}
