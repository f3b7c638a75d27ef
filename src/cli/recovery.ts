import {
  type ApiRecovery,
  approveRecovery,
  cancelRecovery,
  completeRecovery,
  getRecoveryPlan,
  listRecoveries,
  requestRecovery,
  setRecoveryPlan,
} from '#api'
import type { CliPorts, Common } from './ports.ts'
import { table } from './table.ts'

/** Shows who helps, or says it anew. */
export async function plan(
  ports: CliPorts,
  { data, json, needed, helpers }: Common & { needed?: number; helpers?: string[] },
): Promise<number> {
  const client = ports.client(data)
  if (needed !== undefined || helpers !== undefined)
    await client.ask(setRecoveryPlan, { needed: needed ?? 2, helpers: helpers ?? [] })
  const answer = await client.ask(getRecoveryPlan, {})
  if (json) ports.out(JSON.stringify(answer))
  else if (answer.plan === null) ports.out('Nobody helps yet: pelago recovery plan --needed 2 --helpers ANN,BEN,CARL')
  else ports.out(`${answer.plan.needed} of ${answer.plan.helpers.join(', ')} must agree, and 72 hours pass.`)
  return 0
}

export async function request(ports: CliPorts, person: string, { data, json }: Common): Promise<number> {
  const answer = await ports.client(data, 'machine').ask(requestRecovery, { person })
  if (json) ports.out(JSON.stringify(answer))
  else {
    ports.out(`recovery  ${answer.id}`)
    ports.out(`secret    ${answer.secret}`)
    ports.out(`words     ${answer.words}`)
    ports.err(
      'Keep the secret to yourself. Tell the words to your helpers, by a way by which they know that it is you.',
    )
  }
  return 0
}

export async function list(ports: CliPorts, { data, json }: Common): Promise<number> {
  const answer = await ports.client(data).ask(listRecoveries, {})
  if (json) ports.out(JSON.stringify(answer))
  else if (answer.recoveries.length === 0) ports.out('Nobody has asked for recovery.')
  else {
    const rows = answer.recoveries.map((one) => [one.id, one.person, one.words, one.state, howFar(one)])
    for (const line of table([['RECOVERY', 'PERSON', 'WORDS', 'STATE', 'HOW FAR'], ...rows])) ports.out(line)
  }
  return 0
}

export async function approve(ports: CliPorts, id: string, { data, json }: Common): Promise<number> {
  const answer = await ports.client(data).ask(approveRecovery, { id })
  ports.out(json ? JSON.stringify(answer) : howFar(answer))
  return 0
}

export async function cancel(ports: CliPorts, id: string, { data, json }: Common): Promise<number> {
  const answer = await ports.client(data).ask(cancelRecovery, { id })
  ports.out(json ? JSON.stringify(answer) : `The recovery of ${answer.person} is stopped.`)
  return 0
}

/** @param secretFile holds the secret, so that it stands in no list of commands */
export async function complete(
  ports: CliPorts,
  id: string,
  { data, json, secretFile }: Common & { secretFile: string },
): Promise<number> {
  const secret = (await ports.readText(secretFile)).trim()
  const answer = await ports.client(data, 'machine').ask(completeRecovery, { id, secret })
  if (json) ports.out(JSON.stringify(answer))
  else {
    ports.out(answer.enrolment)
    ports.err(`With this ${answer.person} registers ${answer.owed} passkeys within an hour. All old ones are void.`)
  }
  return 0
}

function howFar({ approvedBy, needed, readyAt, state, endedAt }: ApiRecovery): string {
  if (state !== 'requested') return endedAt === null ? '' : new Date(endedAt).toISOString().slice(0, 16)
  const count = `${approvedBy.length} of ${needed} agree`
  return readyAt === null ? count : `${count}; can be completed from ${new Date(readyAt).toISOString().slice(0, 16)} on`
}
