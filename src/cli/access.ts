import * as api from '#api'
import type { CliPorts, Common } from './ports.ts'
import { table } from './table.ts'

/** `tenant`: another than the data folder's own. */
export type Within = Common & { tenant?: string }
type Role = api.ApiPerson['roles'][number]
type Kind = 'person' | 'group' | 'role'

const own = ({ tenant }: Within) => (tenant === undefined ? {} : { tenant })
const day = (at: number | null) => (at === null ? 'never' : new Date(at).toISOString().slice(0, 16))

function say(ports: CliPorts, { json }: Common, answer: unknown, sentence: string): number {
  ports.out(json ? JSON.stringify(answer) : sentence)
  return 0
}

function tell(ports: CliPorts, { json }: Common, answer: unknown, rows: string[][], none: string): number {
  if (json) ports.out(JSON.stringify(answer))
  else if (rows.length === 1) ports.out(none)
  else for (const line of table(rows)) ports.out(line)
  return 0
}

export async function createTenant(ports: CliPorts, tenant: string, options: Common & { name?: string }) {
  const name = options.name === undefined ? {} : { name: options.name }
  const made = await ports.client(options.data).ask(api.createTenant, { tenant, ...name })
  const next = `pelago person create NAME --role owner --tenant ${tenant}`
  return say(ports, options, made, `Tenant ${tenant} is there, with nobody in it. Next: ${next}`)
}

export async function listTenants(ports: CliPorts, options: Common) {
  const answer = await ports.client(options.data).ask(api.listTenants, {})
  const rows = answer.tenants.map(({ id, name, state, public: open, createdAt }) => [
    ...[id, state, open ? 'OPEN TO THE PUBLIC' : 'closed', day(createdAt)],
    name,
  ])
  return tell(ports, options, answer, [['TENANT', 'STATE', 'PUBLIC', 'CREATED', 'NAME'], ...rows], 'There is none.')
}

export async function setTenant(
  ports: CliPorts,
  tenant: string,
  options: Common & { state?: 'active' | 'disabled'; public?: 'yes' | 'no' },
) {
  const state = options.state === undefined ? {} : { state: options.state }
  const open = options.public === undefined ? {} : { public: options.public === 'yes' }
  const now = await ports.client(options.data).ask(api.setTenant, { tenant, ...state, ...open })
  const warning = now.public
    ? ' WARNING: policies of its buckets may now let in everybody on the network, without any key.'
    : ' Nobody gets in without a key.'
  return say(ports, options, now, `Tenant ${tenant} is ${now.state}.${warning}`)
}

export async function revokeTenant(ports: CliPorts, tenant: string, options: Common) {
  const now = await ports.client(options.data).ask(api.revokeTenant, { tenant })
  return say(
    ports,
    options,
    now,
    `Every session and temporary credential of ${tenant} has ended; within a second everywhere.`,
  )
}

export async function createPerson(
  ports: CliPorts,
  name: string,
  options: Within & { role: Role[]; email?: string; displayName?: string },
) {
  const { role: roles, email, displayName } = options
  const input = {
    ...own(options),
    name,
    roles,
    ...(email !== undefined && { email }),
    ...(displayName !== undefined && { displayName }),
  }
  const made = await ports.client(options.data).ask(api.createPerson, input)
  const may = roles.includes('owner') || roles.includes('admin') ? '' : ' A policy says what they may do with objects.'
  return say(ports, options, made, `${name} is known.${may}`)
}

export async function listPeople(ports: CliPorts, options: Within) {
  const answer = await ports.client(options.data).ask(api.listPeople, own(options))
  const rows = answer.people.map(({ name, roles, state, createdAt, displayName }) => [
    ...[name, roles.join(', ') || 'none', state, day(createdAt)],
    displayName,
  ])
  return tell(ports, options, answer, [['NAME', 'ROLES', 'STATE', 'CREATED', 'CALLED'], ...rows], 'There is nobody.')
}

export async function setPerson(
  ports: CliPorts,
  name: string,
  options: Within & { role?: Role[]; state?: 'active' | 'disabled' },
) {
  const roles = options.role && options.role.length > 0 ? { roles: options.role } : {}
  const state = options.state === undefined ? {} : { state: options.state }
  const now = await ports.client(options.data).ask(api.setPerson, { ...own(options), name, ...roles, ...state })
  return say(ports, options, now, `${name} is ${now.state}, with the roles ${now.roles.join(', ') || 'none'}.`)
}

export async function revokePerson(ports: CliPorts, name: string, options: Within) {
  const now = await ports.client(options.data).ask(api.revokePerson, { ...own(options), name })
  return say(
    ports,
    options,
    now,
    `Every session and temporary credential of ${name} has ended; access keys stay until they are disabled.`,
  )
}

export async function deletePerson(ports: CliPorts, name: string, options: Within) {
  const answer = await ports.client(options.data).ask(api.deletePerson, { ...own(options), name })
  return say(ports, options, answer, `${name} is deleted, with all access keys.`)
}

export async function createGroup(ports: CliPorts, name: string, options: Within) {
  const made = await ports.client(options.data).ask(api.createGroup, { ...own(options), name })
  return say(ports, options, made, `Group ${name} is there.`)
}

export async function listGroups(ports: CliPorts, options: Within) {
  const answer = await ports.client(options.data).ask(api.listGroups, own(options))
  const rows = answer.groups.map(({ name, members }) => [name, members.join(', ') || 'nobody'])
  return tell(ports, options, answer, [['GROUP', 'MEMBERS'], ...rows], 'There is no group.')
}

export async function deleteGroup(ports: CliPorts, name: string, options: Within) {
  const answer = await ports.client(options.data).ask(api.deleteGroup, { ...own(options), name })
  return say(ports, options, answer, `Group ${name} is deleted; its people stay.`)
}

export async function addToGroup(ports: CliPorts, name: string, person: string, options: Within) {
  const answer = await ports.client(options.data).ask(api.addToGroup, { ...own(options), name, person })
  return say(ports, options, answer, `${person} is in ${name}.`)
}

export async function removeFromGroup(ports: CliPorts, name: string, person: string, options: Within) {
  const answer = await ports.client(options.data).ask(api.removeFromGroup, { ...own(options), name, person })
  return say(ports, options, answer, `${person} is not in ${name}.`)
}

export async function createKey(ports: CliPorts, person: string, options: Within & { note?: string }) {
  const note = options.note === undefined ? {} : { note: options.note }
  const made = await ports.client(options.data).ask(api.createKey, { ...own(options), person, ...note })
  const lines = [
    `access key         ${made.key.id}`,
    `secret access key  ${made.secret}`,
    'The secret is shown this once; keep it where nobody else reads.',
  ]
  return say(ports, options, made, lines.join('\n'))
}

export async function listKeys(ports: CliPorts, options: Within) {
  const answer = await ports.client(options.data).ask(api.listKeys, own(options))
  const rows = answer.keys.map(({ id, person, state, createdAt, usedAt, note }) => [
    ...[id, person, state, day(createdAt), day(usedAt)],
    note,
  ])
  const head = ['ACCESS KEY', 'OF', 'STATE', 'CREATED', 'LAST USED', 'NOTE']
  return tell(ports, options, answer, [head, ...rows], 'There is no access key.')
}

export async function setKey(ports: CliPorts, state: 'active' | 'disabled', key: string, options: Within) {
  const answer = await ports.client(options.data).ask(api.setKey, { ...own(options), key, state })
  return say(ports, options, answer, `Access key ${key} is ${state}; within a second everywhere.`)
}

export async function deleteKey(ports: CliPorts, key: string, options: Within) {
  const answer = await ports.client(options.data).ask(api.deleteKey, { ...own(options), key })
  return say(ports, options, answer, `Access key ${key} is deleted; within a second nobody gets in with it.`)
}

/** Shows the policies of somebody, sets one from a file, or deletes one. */
export async function policy(
  ports: CliPorts,
  kind: Kind,
  holder: string,
  options: Within & { name: string; set?: string; delete?: boolean },
) {
  const client = ports.client(options.data)
  const about = { ...own(options), kind, holder }
  if (options.set !== undefined) {
    const document = await ports.readText(options.set)
    const answer = await client.ask(api.setAccessPolicy, { ...about, name: options.name, document })
    return say(ports, options, answer, `Policy ${options.name} holds for ${holder}.`)
  }
  if (options.delete) {
    const answer = await client.ask(api.deleteAccessPolicy, { ...about, name: options.name })
    return say(ports, options, answer, `Policy ${options.name} of ${holder} is deleted.`)
  }
  const answer = await client.ask(api.listAccessPolicies, about)
  if (options.json) ports.out(JSON.stringify(answer))
  else if (answer.policies.length === 0) ports.out(`${holder} has no policy.`)
  else for (const { name, document } of answer.policies) ports.out(`${name}:\n${document.trimEnd()}`)
  return 0
}

export async function getBucketAccess(ports: CliPorts, bucket: string, options: Within) {
  const answer = await ports.client(options.data).ask(api.getBucketAccess, { ...own(options), bucket })
  const open = answer.public ? '\nIT LETS IN EVERYBODY, without any key.' : ''
  return say(
    ports,
    options,
    answer,
    answer.document === null ? 'Its tenant decides alone.' : `${answer.document.trimEnd()}${open}`,
  )
}

export async function setBucketAccess(ports: CliPorts, bucket: string, file: string, options: Within) {
  const document = await ports.readText(file)
  const answer = await ports.client(options.data).ask(api.setBucketAccess, { ...own(options), bucket, document })
  return say(ports, options, answer, `The policy holds for ${bucket}.`)
}

export async function deleteBucketAccess(ports: CliPorts, bucket: string, options: Within) {
  const answer = await ports.client(options.data).ask(api.deleteBucketAccess, { ...own(options), bucket })
  return say(ports, options, answer, `${bucket} has no access policy; its tenant decides alone.`)
}

export async function createRole(ports: CliPorts, name: string, options: Within & { trust: string; longest: number }) {
  const trust = await ports.readText(options.trust)
  const input = { ...own(options), name, trust, longestSeconds: options.longest }
  const made = await ports.client(options.data).ask(api.createStsRole, input)
  return say(
    ports,
    options,
    made,
    `Role ${made.arn} is there. It may do nothing until: pelago role policy ${name} --set FILE`,
  )
}

export async function listRoles(ports: CliPorts, options: Within) {
  const answer = await ports.client(options.data).ask(api.listStsRoles, own(options))
  const rows = answer.roles.map(({ name, arn, longestSeconds, createdAt }) => [
    name,
    `${longestSeconds} s`,
    day(createdAt),
    arn,
  ])
  return tell(ports, options, answer, [['ROLE', 'LONGEST', 'CREATED', 'ARN'], ...rows], 'There is no role.')
}

export async function trustRole(ports: CliPorts, name: string, file: string, options: Within) {
  const trust = await ports.readText(file)
  const now = await ports.client(options.data).ask(api.trustStsRole, { ...own(options), name, trust })
  return say(
    ports,
    options,
    now,
    `Who may assume ${name} is said anew; what was given out stays until: pelago role revoke ${name}`,
  )
}

export async function revokeRole(ports: CliPorts, name: string, options: Within) {
  const now = await ports.client(options.data).ask(api.revokeStsRole, { ...own(options), name })
  return say(ports, options, now, `Every temporary credential of ${name} has ended; within a second everywhere.`)
}

export async function deleteRole(ports: CliPorts, name: string, options: Within) {
  const answer = await ports.client(options.data).ask(api.deleteStsRole, { ...own(options), name })
  return say(ports, options, answer, `Role ${name} is deleted, with every temporary credential of it.`)
}

export async function setIssuer(
  ports: CliPorts,
  issuer: string,
  options: Within & { audience: string[]; keys: string },
) {
  const input = { ...own(options), issuer, audiences: options.audience, keysUrl: options.keys }
  const answer = await ports.client(options.data).ask(api.setIssuer, input)
  return say(ports, options, answer, `Tokens of ${issuer} are taken where a role trusts it.`)
}

export async function listIssuers(ports: CliPorts, options: Within) {
  const answer = await ports.client(options.data).ask(api.listIssuers, own(options))
  const rows = answer.issuers.map(({ issuer, audiences, keysUrl }) => [issuer, audiences.join(', '), keysUrl])
  return tell(ports, options, answer, [['ISSUER', 'AUDIENCES', 'KEYS'], ...rows], 'No tokens are taken.')
}

export async function deleteIssuer(ports: CliPorts, issuer: string, options: Within) {
  const answer = await ports.client(options.data).ask(api.deleteIssuer, { ...own(options), issuer })
  return say(ports, options, answer, `Tokens of ${issuer} are not taken any more.`)
}
