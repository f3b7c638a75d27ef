import * as access from '#access'
import * as api from '#api'
import type { ApiCall, Handler } from './handler.ts'
import { handles } from './handler.ts'

/** What a gateway answers about who comes in: passkeys, identity providers, sessions, the first owner, recovery. */
export function signInOperations(ports: access.SignInPorts): Handler[] {
  const { site } = ports
  return [
    handles(api.getSession, ({ principal, tenant, actor }) => {
      const { roles = [], kind = 'local', session = null } = principal ?? {}
      return { tenant, actor, roles: [...roles], kind, session }
    }),
    handles(api.signOut, async (call) => {
      const id = sessionOf(call)
      const { signOut } = await access.endSession(ports, call, { id, mayEndAll: false })
      call.setCookie(access.endedCookie(site))
      return { signOutUrl: signOut ?? null }
    }),
    handles(api.listSessions, async (call, { person }) => {
      const own = person === undefined || person === call.actor
      if (own) sessionOf(call)
      else if (!isAdmin(call))
        throw access.accessError('access.denied', { reason: 'only an admin sees sessions of others' })
      const sessions = await access.listSessions(ports, call, person)
      return { sessions: sessions.map((session) => shownSession(session, call)) }
    }),
    handles(api.endSession, async (call, { id }) => {
      await access.endSession(ports, call, { id, mayEndAll: isAdmin(call) })
      if (id === call.principal?.session) call.setCookie(access.endedCookie(site))
      return {}
    }),
    handles(api.beginLogin, (call, { label }) => access.beginLogin(ports, call, { label, address: call.address })),
    handles(api.showLogin, (call, { code }) => access.approveLogin(ports, personal(call), { code, approve: false })),
    handles(api.approveLogin, (call, { code }) => access.approveLogin(ports, personal(call), { code, approve: true })),
    handles(api.finishLogin, async (call, input) => {
      const opened = await access.finishLogin(ports, call, input)
      return handOver(ports, call, opened)
    }),
    handles(api.listIdentityProviders, () => ({ providers: ports.providers.list() })),
    handles(api.beginProviderSignIn, (call, input) =>
      access.beginProviderSignIn(ports, call, { ...input, address: call.address }),
    ),
    handles(api.finishProviderSignIn, async (call, { ceremony, answer, carrier }) => {
      if (carrier === 'cookie') access.checkPage(call.headers, site)
      const input = { ceremony, answer, carrier, label: labelOf(call), replaced: replacedBy(ports, call) }
      const opened = await access.finishProviderSignIn(ports, call, input)
      return handOver(ports, call, opened)
    }),
    handles(api.createAdminCode, (call) => access.createAdminCode(ports, call)),
    handles(api.createInvitation, (call, { person }) => {
      const byOwner = call.principal?.roles.includes('owner') ?? false
      return access.createInvitation(ports, call, { person, byOwner })
    }),
    handles(api.claimCode, (call, input) => access.claimCode(ports, call, { ...input, address: call.address })),
    ...passkeyOperations(ports),
    ...recoveryOperations(ports),
  ]
}

function passkeyOperations(ports: access.SignInPorts): Handler[] {
  const { site } = ports
  return [
    handles(api.beginPasskeySignIn, (call) => access.beginPasskeySignIn(ports, call, call.address)),
    handles(api.finishPasskeySignIn, async (call, { ceremony, answer }) => {
      access.checkPage(call.headers, site)
      const input = { ceremony, answer, label: labelOf(call), replaced: replacedBy(ports, call) }
      const opened = await access.finishPasskeySignIn(ports, call, input)
      return handOver(ports, call, opened)
    }),
    handles(api.listPasskeys, async (call) => {
      const passkeys = await access.listPasskeys(ports, personal(call))
      return { passkeys: passkeys.map(shownPasskey) }
    }),
    handles(api.beginPasskey, (call) => access.beginPasskey(ports, personal(call))),
    handles(api.finishPasskey, async (call, input) =>
      shownPasskey(await access.finishPasskey(ports, personal(call), input)),
    ),
    handles(api.removePasskey, async (call, { id }) => {
      await access.removePasskey(ports, personal(call), id)
      return {}
    }),
    handles(api.beginEnrolledPasskey, (call, input) => access.beginEnrolledPasskey(ports, call, input)),
    handles(api.finishEnrolledPasskey, async (call, input) => {
      access.checkPage(call.headers, site)
      const more = { label: labelOf(call), replaced: replacedBy(ports, call) }
      const { owed, opened } = await access.finishEnrolledPasskey(ports, call, { ...input, ...more })
      if (!opened) return { owed, signedIn: null }
      return { owed, signedIn: handOver(ports, call, opened) }
    }),
  ]
}

function recoveryOperations(ports: access.SignInPorts): Handler[] {
  return [
    handles(api.getRecoveryPlan, async (call) => ({ plan: (await access.getRecoveryPlan(ports, call)) ?? null })),
    handles(api.setRecoveryPlan, async (call, plan) => {
      await access.setRecoveryPlan(ports, call, plan)
      return {}
    }),
    handles(api.requestRecovery, (call, { person }) =>
      access.requestRecovery(ports, call, { person, address: call.address }),
    ),
    handles(api.listRecoveries, async (call) => ({
      recoveries: (await access.listRecoveries(ports, call)).map(shownRecovery),
    })),
    handles(api.approveRecovery, async (call, { id }) =>
      shownRecovery(await access.approveRecovery(ports, personal(call), id)),
    ),
    handles(api.cancelRecovery, async (call, { id }) =>
      shownRecovery(await access.cancelRecovery(ports, personal(call), id)),
    ),
    handles(api.completeRecovery, (call, input) => access.completeRecovery(ports, call, input)),
    handles(api.listNotices, async (call, { below = Number.MAX_SAFE_INTEGER, limit = 50 }) => ({
      notices: await access.listNotices(ports, call, { below, limit }),
    })),
  ]
}

/** A browser gets the token as a cookie that no script can read; a program gets it in the answer. */
function handOver(
  { site }: access.SignInPorts,
  call: ApiCall,
  { token, session, person }: access.OpenedSession,
): api.ApiSignedIn {
  if (session.carrier === 'bearer') return { person, session: session.id, token }
  call.setCookie(access.sessionCookie(site, token))
  return { person, session: session.id, token: null }
}

/** The session that the browser comes with; it ends as the new one begins. */
const replacedBy = ({ site }: access.SignInPorts, { headers }: ApiCall) => access.cookieToken(headers, site)

/** What the session is told apart by in a list. */
const labelOf = ({ headers }: ApiCall) => (headers['user-agent'] ?? 'unknown').slice(0, 100)

const isAdmin = ({ principal }: ApiCall) =>
  principal?.roles.some((role) => role === 'owner' || role === 'admin') ?? false

/** @throws session.personless when no signed-in person asks: passkeys and approvals belong to people */
function personal(call: ApiCall): ApiCall {
  sessionOf(call)
  return call
}

function sessionOf({ principal }: ApiCall): string {
  if (principal?.session === undefined) throw access.signInError('session.personless')
  return principal.session
}

function shownSession(session: access.Session, { principal }: ApiCall): api.ApiSession {
  const { id, carrier, method, label, createdAt, seenAt } = session
  return { id, carrier, method, label, createdAt, seenAt, current: id === principal?.session }
}

function shownPasskey(passkey: access.Passkey): api.ApiPasskey {
  const { id, name, createdAt, usedAt = null, backedUp, regressedAt = null } = passkey
  return { id, name, createdAt, usedAt, backedUp, regressedAt }
}

function shownRecovery(recovery: access.ShownRecovery): api.ApiRecovery {
  const { id, person, words, state, requestedAt, readyAt = null, endedAt = null } = recovery
  const { expiresAt, approvedBy, needed } = recovery
  return { id, person, words, state, requestedAt, readyAt, endedAt, expiresAt, approvedBy, needed }
}
