import {
  approveLogin,
  beginLogin,
  beginProviderSignIn,
  createAdminCode,
  createInvitation,
  endSession,
  finishLogin,
  finishProviderSignIn,
  listNotices,
  listSessions,
  showLogin,
  signOut,
} from '#api'
import { hasCode } from '#kernel'
import type { CliPorts, Common } from './ports.ts'
import { sinceText, table } from './table.ts'

const pollMs = 2000

/** Signs in by a code that somebody approves elsewhere, or with an identity provider. */
export async function login(
  ports: CliPorts,
  { data, json, provider, label }: Common & { provider?: string; label: string },
): Promise<number> {
  const { person, token } = await (provider === undefined
    ? loginByCode(ports, data, label)
    : loginByProvider(ports, data, provider))
  if (token === null) return 1
  ports.keepSession(data, token)
  ports.out(json ? JSON.stringify({ person }) : `You are ${person}. Later commands are yours until you log out.`)
  return 0
}

async function loginByCode(ports: CliPorts, data: string, label: string) {
  const client = ports.client(data, 'machine')
  const { code, device, expiresAt } = await client.ask(beginLogin, { label })
  ports.err(`Approve the code ${code} where you are signed in: pelago session approve ${code} --yes`)
  for (;;) {
    await ports.wait(pollMs)
    try {
      return await client.ask(finishLogin, { device })
    } catch (error) {
      if (!hasCode(error, 'login.pending') || ports.now() > expiresAt) throw error
    }
  }
}

async function loginByProvider(ports: CliPorts, data: string, provider: string) {
  const client = ports.client(data, 'machine')
  const callback = await ports.openCallback()
  try {
    const { redirectUri } = callback
    const { ceremony, url } = await client.ask(beginProviderSignIn, { provider, redirectUri })
    ports.err(`Open this address in a browser on this machine:\n${url}`)
    return await client.ask(finishProviderSignIn, { ceremony, answer: await callback.query, carrier: 'bearer' })
  } finally {
    callback.close()
  }
}

/** Ends the session here, and forgets it even when it has ended already. */
export async function logout(ports: CliPorts, { data, json }: Common): Promise<number> {
  try {
    const { signOutUrl } = await ports.client(data).ask(signOut, {})
    if (signOutUrl !== null && !json) ports.err(`To sign out of the identity provider as well, open:\n${signOutUrl}`)
  } catch (error) {
    if (!hasCode(error, 'session.ended', 'session.personless')) throw error
  }
  ports.keepSession(data, undefined)
  ports.out(json ? '{}' : 'Nobody is signed in here any more.')
  return 0
}

export async function list(ports: CliPorts, { data, json, person }: Common & { person?: string }): Promise<number> {
  const answer = await ports.client(data).ask(listSessions, person === undefined ? {} : { person })
  if (json) ports.out(JSON.stringify(answer))
  else {
    const rows = answer.sessions.map(({ id, method, label, createdAt, seenAt, current }) => [
      ...[id, method, sinceText(createdAt, ports.now()), sinceText(seenAt, ports.now())],
      current ? `${label} (this one)` : label,
    ])
    for (const line of table([['SESSION', 'BY', 'OPEN', 'UNUSED', 'WHERE'], ...rows])) ports.out(line)
  }
  return 0
}

export async function end(ports: CliPorts, id: string, { data, json }: Common): Promise<number> {
  const answer = await ports.client(data).ask(endSession, { id })
  ports.out(json ? JSON.stringify(answer) : `Session ${id} has ended.`)
  return 0
}

/** Shows who asks with a code; with `yes` lets it in. */
export async function approve(
  ports: CliPorts,
  code: string,
  { data, json, yes }: Common & { yes: boolean },
): Promise<number> {
  const answer = await ports.client(data).ask(yes ? approveLogin : showLogin, { code })
  const { label, address } = answer
  if (json) ports.out(JSON.stringify({ ...answer, approved: yes }))
  else if (yes) ports.out(`${label} at ${address} is signed in as you.`)
  else ports.out(`${label} at ${address} wants to be signed in as you. Say so with --yes if it is yours.`)
  return yes ? 0 : 1
}

export async function adminCode(ports: CliPorts, { data, json }: Common): Promise<number> {
  const answer = await ports.client(data, 'machine').ask(createAdminCode, {})
  if (json) ports.out(JSON.stringify(answer))
  else {
    ports.out(answer.code)
    ports.err(
      `Good once, until ${timeText(answer.expiresAt)}. Whoever has it becomes the owner: give it to nobody else.`,
    )
  }
  return 0
}

export async function invite(ports: CliPorts, person: string, { data, json }: Common): Promise<number> {
  const answer = await ports.client(data).ask(createInvitation, { person })
  if (json) ports.out(JSON.stringify(answer))
  else {
    ports.out(answer.code)
    ports.err(`For ${person}, good once, until ${timeText(answer.expiresAt)}.`)
  }
  return 0
}

export async function notices(ports: CliPorts, { data, json }: Common): Promise<number> {
  const answer = await ports.client(data).ask(listNotices, {})
  if (json) ports.out(JSON.stringify(answer))
  else {
    const rows = answer.notices.map(({ at, kind, about, facts }) => [timeText(at), kind, about, JSON.stringify(facts)])
    for (const line of table([['TIME', 'WHAT', 'ABOUT', 'FACTS'], ...rows])) ports.out(line)
  }
  return 0
}

const timeText = (at: number) => new Date(at).toISOString().slice(0, 19)
