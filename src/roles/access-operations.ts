import * as access from '#access'
import * as api from '#api'
import type { PelagoError } from '#kernel'
import { type ApiCall, type Handler, handles } from './handler.ts'

type Ports = access.AccessPorts & { buckets: access.Buckets }
type Who = { actor: string; tenant: string }

const usualSeconds = 3600

/** What a gateway answers about tenants, people, keys, policies and roles of STS. */
export function accessOperations(ports: Ports): Handler[] {
  const { database } = ports
  const shownKey = async (call: Who, key: access.KeptKey) => {
    const person = await database.read(() => access.findPersonById(key.person))
    return keyOf(key, person?.tenant === call.tenant ? person.name : '')
  }
  return [
    handles(api.listTenants, async (call) => {
      const tenants = await database.read(access.listTenants)
      return { tenants: tenants.filter(({ id }) => call.house || id === call.tenant).map(tenantOf) }
    }),
    handles(api.createTenant, async (call, { tenant: id, name }) =>
      tenantOf(await access.createTenant(ports, call, { id, name })),
    ),
    handles(api.setTenant, async (call, { tenant, state, public: open }) => {
      const { tenant: id } = within(call, tenant)
      // Whoever could switch his own tenant off could not switch it on again.
      if (state !== undefined && !call.house) throw access.accessError('tenant.foreign')
      return tenantOf(await access.changeTenant(ports, call, { id, state, openToPublic: open }))
    }),
    handles(api.revokeTenant, async (call, { tenant }) =>
      tenantOf(await access.revokeTenant(ports, call, within(call, tenant).tenant)),
    ),

    handles(api.listPeople, async (call, { tenant }) => {
      const people = await database.read(() => access.listPeople(within(call, tenant).tenant))
      return { people: people.map(personOf) }
    }),
    handles(api.createPerson, async (call, { tenant, ...input }) => {
      if (input.roles.includes('owner')) mustOwn(call)
      return personOf(await access.createPerson(ports, within(call, tenant), input))
    }),
    handles(api.setPerson, async (call, { tenant, ...input }) => {
      const who = within(call, tenant)
      if (input.roles?.includes('owner')) mustOwn(call)
      await checkTarget(ports, call, who, input.name)
      return personOf(await access.changePerson(ports, who, input))
    }),
    handles(api.revokePerson, async (call, { tenant, name }) => {
      const who = within(call, tenant)
      await checkTarget(ports, call, who, name)
      return personOf(await access.revokePerson(ports, who, name))
    }),
    handles(api.deletePerson, async (call, { tenant, name }) => {
      const who = within(call, tenant)
      await checkTarget(ports, call, who, name)
      await access.deletePerson(ports, who, name)
      return {}
    }),

    handles(api.listGroups, async (call, { tenant }) => {
      const who = within(call, tenant)
      const groups = await database.read(function* () {
        const found: api.ApiGroup[] = []
        for (const { id, name, createdAt } of yield* access.listGroups(who.tenant))
          found.push({ id, name, createdAt, members: yield* access.membersOf(id) })
        return found
      })
      return { groups }
    }),
    handles(api.createGroup, async (call, { tenant, name }) => {
      const { id, createdAt } = await access.createGroup(ports, within(call, tenant), name)
      return { id, name, createdAt, members: [] }
    }),
    handles(api.deleteGroup, async (call, { tenant, name }) => {
      await access.deleteGroup(ports, within(call, tenant), name)
      return {}
    }),
    handles(api.addToGroup, async (call, { tenant, name, person }) => {
      const who = within(call, tenant)
      await checkTarget(ports, call, who, person)
      await access.changeMembership(ports, who, { group: name, person, member: true })
      return {}
    }),
    handles(api.removeFromGroup, async (call, { tenant, name, person }) => {
      await access.changeMembership(ports, within(call, tenant), { group: name, person, member: false })
      return {}
    }),

    handles(api.listKeys, async (call, { tenant }) => {
      const who = within(call, tenant)
      const [keys, people] = await database.read(function* () {
        return [yield* access.listKeys(who.tenant), yield* access.listPeople(who.tenant)] as const
      })
      const names = new Map(people.map(({ id, name }) => [id, name]))
      return { keys: keys.map((key) => keyOf(key, names.get(key.person) ?? '')) }
    }),
    handles(api.createKey, async (call, { tenant, person, note }) => {
      const who = within(call, tenant)
      await checkTarget(ports, call, who, person)
      const { key, secret } = await access.createKey(ports, who, { person, note })
      return { key: await shownKey(who, key), secret }
    }),
    handles(api.setKey, async (call, { tenant, key, state }) => {
      const who = within(call, tenant)
      await checkKey(ports, call, who, key)
      await access.changeKey(ports, who, key, state)
      return {}
    }),
    handles(api.deleteKey, async (call, { tenant, key }) => {
      const who = within(call, tenant)
      await checkKey(ports, call, who, key)
      await access.deleteKey(ports, who, key)
      return {}
    }),

    handles(api.listAccessPolicies, async (call, { tenant, kind, holder }) => {
      const policies = await access.listAccessPolicies(ports, within(call, tenant), { kind, name: holder })
      return { policies: policies.map(({ name, document, setAt }) => ({ name, document, setAt })) }
    }),
    handles(api.setAccessPolicy, async (call, { tenant, kind, holder, name, document }) => {
      const who = within(call, tenant)
      if (kind === 'person') await checkTarget(ports, call, who, holder)
      await access.setAccessPolicy(ports, who, { holder: { kind, name: holder }, name, document })
      return {}
    }),
    handles(api.deleteAccessPolicy, async (call, { tenant, kind, holder, name }) => {
      const who = within(call, tenant)
      if (kind === 'person') await checkTarget(ports, call, who, holder)
      await access.deleteAccessPolicy(ports, who, { holder: { kind, name: holder }, name })
      return {}
    }),

    handles(api.getBucketAccess, async (call, { tenant, bucket }) => {
      const found = await access.getBucketAccess(ports, within(call, tenant), bucket)
      return { document: found?.document ?? null, public: found?.public ?? false }
    }),
    handles(api.setBucketAccess, async (call, { tenant, bucket, document }) => {
      await access.setBucketAccess(ports, within(call, tenant), { bucket, document })
      return {}
    }),
    handles(api.deleteBucketAccess, async (call, { tenant, bucket }) => {
      await access.deleteBucketAccess(ports, within(call, tenant), bucket)
      return {}
    }),

    handles(api.listStsRoles, async (call, { tenant }) => {
      const roles = await database.read(() => access.listAssumableRoles(within(call, tenant).tenant))
      return { roles: roles.map(roleOf) }
    }),
    handles(api.createStsRole, async (call, { tenant, name, trust, longestSeconds = usualSeconds }) =>
      roleOf(await access.createAssumableRole(ports, within(call, tenant), { name, trust, longestSeconds })),
    ),
    handles(api.trustStsRole, async (call, { tenant, ...input }) =>
      roleOf(await access.trustAssumableRole(ports, within(call, tenant), input)),
    ),
    handles(api.revokeStsRole, async (call, { tenant, name }) =>
      roleOf(await access.revokeAssumableRole(ports, within(call, tenant), name)),
    ),
    handles(api.deleteStsRole, async (call, { tenant, name }) => {
      await access.deleteAssumableRole(ports, within(call, tenant), name)
      return {}
    }),

    handles(api.listIssuers, async (call, { tenant }) => {
      const issuers = await database.read(() => access.listWebIssuers(within(call, tenant).tenant))
      return { issuers: issuers.map(({ tenant: _, ...issuer }) => issuer) }
    }),
    handles(api.setIssuer, async (call, { tenant, ...input }) => {
      await access.setWebIssuer(ports, within(call, tenant), input)
      return {}
    }),
    handles(api.deleteIssuer, async (call, { tenant, issuer }) => {
      await access.deleteWebIssuer(ports, within(call, tenant), issuer)
      return {}
    }),
  ]
}

/** For whom is asked. To everybody else another tenant is as if it did not exist. @throws tenant.missing */
function within(call: ApiCall, tenant: string | undefined): Who {
  if (tenant === undefined || tenant === call.tenant) return { actor: call.actor, tenant: call.tenant }
  if (!call.house) throw access.accessError('tenant.missing', { tenant })
  return { actor: call.actor, tenant }
}

const ownersOnly = (): PelagoError => access.accessError('person.owner')

function mustOwn({ principal }: ApiCall): void {
  if (!principal?.roles.includes('owner')) throw ownersOnly()
}

/** An admin does everything but to owners. @throws person.owner, person.missing */
async function checkTarget({ database }: Ports, call: ApiCall, who: Who, name: string): Promise<void> {
  if (call.principal?.roles.includes('owner')) return
  const person = await database.read(() => access.getPerson(who.tenant, name))
  if (person.roles.includes('owner')) throw ownersOnly()
}

/** @throws person.owner, key.missing */
async function checkKey({ database }: Ports, call: ApiCall, who: Who, id: string): Promise<void> {
  if (call.principal?.roles.includes('owner')) return
  const person = await database.read(function* () {
    return yield* access.findPersonById((yield* access.getKey(who.tenant, id)).person)
  })
  if (person?.roles.includes('owner')) throw ownersOnly()
}

const tenantOf = ({ id, name, state, openToPublic, epoch, createdAt }: access.Tenant): api.ApiTenant => ({
  ...{ id, name, state, epoch, createdAt },
  public: openToPublic,
})

const personOf = ({ id, name, displayName, email, roles, state, epoch, createdAt }: access.Person): api.ApiPerson => ({
  ...{ id, name, displayName, roles, state, epoch, createdAt },
  email: email ?? null,
})

const keyOf = ({ id, note, state, createdAt, usedAt }: access.KeptKey, person: string): api.ApiKey => ({
  ...{ id, person, note, state, createdAt },
  usedAt: usedAt ?? null,
})

const roleOf = (role: access.AssumableRole): api.ApiStsRole => {
  const { id, tenant, name, trust, longestSeconds, epoch, createdAt } = role
  return { id, name, arn: access.roleArn(tenant, name), trust, longestSeconds, epoch, createdAt }
}
