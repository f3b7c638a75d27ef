import { getLog, listHeads, listLog, type Output, proveEntry, rotateLogKey, type ServerName } from '#api'
import { type Check, checkProof, keyOfShown, openLogCheck, proofText, topics } from '#journal'
import { cliError } from './errors.ts'
import type { CliPorts, Common } from './ports.ts'
import { table } from './table.ts'

/** Every server has a log of its own. */
type WhoseLog = Common & { of: ServerName }
type LogEntry = Output<typeof listLog>['entries'][number]

const pageSize = 500

/** A client that asks that server. */
function asker(ports: CliPorts, { data, of }: WhoseLog) {
  const client = ports.client(data)
  return <I, O>(operation: Parameters<typeof client.ask<I, O>>[0], input: I) =>
    client.ask({ ...operation, server: of }, input)
}

export async function list(
  ports: CliPorts,
  options: WhoseLog & { after: number; limit: number; topic?: string; name?: string },
): Promise<number> {
  const { after, limit, topic, name } = options
  const answer = await asker(ports, options)(listLog, {
    ...{ after, limit },
    ...(topic !== undefined && { topic }),
    ...(name !== undefined && { name }),
  })
  if (options.json) ports.out(JSON.stringify(answer))
  else {
    const rows = answer.entries.map(rowOf)
    for (const line of table([['NO', 'TIME', 'WHAT', 'ABOUT', 'BY', 'FACTS'], ...rows])) ports.out(line)
    if (answer.next !== null) ports.out(`More with --after ${answer.next}`)
  }
  return 0
}

function rowOf({ sequence, entry }: LogEntry): string[] {
  if (!entry) return [String(sequence), '', 'about another tenant', '', '', '']
  const facts = Object.entries(entry.facts as object).map(([name, value]) => `${name}=${String(value)}`)
  const says = Object.hasOwn(topics, entry.topic) ? topics[entry.topic as keyof typeof topics].says : entry.topic
  return [String(sequence), new Date(entry.at).toISOString(), says, entry.about, entry.actor, facts.join(' ')]
}

/** Reads the whole log and checks it here; or checks a proof in a file, asking nobody. */
export async function verify(ports: CliPorts, options: WhoseLog & { offline?: string; log?: string }): Promise<number> {
  return options.offline === undefined ? verifyOnline(ports, options) : verifyFile(ports, options.offline, options)
}

async function verifyFile(
  ports: CliPorts,
  file: string,
  { json, log }: { json: boolean; log?: string },
): Promise<number> {
  const { checks, entry, head } = checkProof(await ports.readText(file), log)
  const code = say(ports, json, checks)
  if (json || code !== 0 || !entry || !head) return code
  ports.out(`Proved: ${JSON.stringify(entry)}`)
  if (log === undefined)
    ports.out(`It is of the log ${head.log}; compare that name with one you know, or give it with --log.`)
  return code
}

async function verifyOnline(ports: CliPorts, options: WhoseLog & { log?: string }): Promise<number> {
  const ask = asker(ports, options)
  // Asked first: what is added meanwhile is then only more than these say.
  await ask(listLog, { limit: 1 })
  const state = await ask(getLog, {})
  const keys = state.keys.map(keyOfShown).filter((key) => key !== undefined)
  const check = openLogCheck(keys)
  let [seen, after, moreHeads]: [number, number, boolean] = [0, 0, true]
  while (moreHeads) {
    const { heads, next } = await ask(listHeads, { after, limit: pageSize })
    for (const { note } of heads) check.head(note)
    after = heads.at(-1)?.size ?? after
    moreHeads = next !== null
    while (seen < after) {
      const { entries } = await ask(listLog, { after: seen, limit: Math.min(pageSize, after - seen) })
      if (entries.length === 0) break
      for (const entry of entries) check.entry(entry as Parameters<typeof check.entry>[0])
      seen = Math.max(seen + 1, entries.at(-1)?.sequence ?? seen)
    }
  }
  const named = options.log === undefined ? [] : [nameCheck(state.keys, options.log)]
  const running: Check = { says: 'the server found nothing wrong while running', fault: state.fault ?? undefined }
  return say(ports, options.json, [...named, ...check.end(state.kept ?? undefined), running])
}

const nameCheck = (keys: { log: string }[], log: string): Check => ({
  says: `it is the log ${log}`,
  fault: keys.some((key) => key.log === log) ? undefined : `it is ${keys.at(-1)?.log ?? 'none'}`,
})

function say(ports: CliPorts, json: boolean, checks: Check[]): number {
  const failed = checks.filter(({ fault }) => fault !== undefined).length
  if (json) ports.out(JSON.stringify({ checks: checks.map(({ says, fault }) => ({ says, fault: fault ?? null })) }))
  else {
    for (const { says, fault } of checks) ports.out(fault === undefined ? `ok    ${says}` : `BAD   ${says}: ${fault}`)
    ports.out(`${checks.length - failed} passed, ${failed} failed`)
  }
  return failed === 0 ? 0 : 1
}

/** Writes a proof of one entry to a file that needs nothing else to be checked. */
export async function prove(
  ports: CliPorts,
  sequence: number,
  options: WhoseLog & { to?: string; earlier?: number },
): Promise<number> {
  const { earlier } = options
  const proof = await asker(ports, options)(proveEntry, { sequence, ...(earlier !== undefined && { earlier }) })
  const text = proofText(proof as Parameters<typeof proofText>[0])
  // Nobody should carry a proof away that does not hold.
  const fault = checkProof(text).checks.find((check) => check.fault !== undefined)
  if (fault) throw cliError('proof.wrong', { says: fault.says, fault: fault.fault ?? '' })
  const file = options.to ?? `pelago-log-${sequence}.json`
  await ports.save(file, bytesOf(text))
  if (file === '-') return 0
  ports.out(
    options.json
      ? JSON.stringify({ file, log: proof.log })
      : `Entry ${sequence} of the log ${proof.log} is proved in ${file}. Anybody can check it: pelago log verify --offline ${file} --log ${proof.log}`,
  )
  return 0
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

export async function rotate(ports: CliPorts, options: WhoseLog): Promise<number> {
  const key = await asker(ports, options)(rotateLogKey, {})
  ports.out(
    options.json
      ? JSON.stringify(key)
      : `From entry ${key.since + 1} on, the log ${key.log} is signed with key ${key.generation}.`,
  )
  return 0
}
