import { appendFact } from '#journal'
import type { Call, Json } from '#kernel'
import { findPersonById } from '../records/people.store.ts'
import { beginLimit, ceremonyMs, spendAttempt, takeBegun } from './ceremony.ts'
import { insertCeremony } from './ceremonies.store.ts'
import { signInError } from './errors.ts'
import { type AssertionAnswer, judgeAssertion } from './judge-passkey.ts'
import { shortOf, userHandle } from './passkeys.ts'
import { findPasskey, notePasskeyUse } from './passkeys.store.ts'
import type { SignInPorts } from './ports.ts'
import { insertNotice } from './recoveries.store.ts'
import { freshSecret, hashOf } from './secrets.ts'
import { drawSession, type OpenedSession, openSession } from './sessions.ts'

/**
 * Begins a sign-in by passkey. Nobody is named: the passkey itself says whose it is, so nothing can be learned here about who
 * there is.
 * @param address where the request comes from, for counting
 * @throws attempts.spent, ceremony.crowded
 */
export async function beginPasskeySignIn(
  ports: SignInPorts,
  _: Call,
  address: string,
): Promise<{ ceremony: string; options: { [key: string]: Json } }> {
  await spendAttempt(ports, `begin ${address}`, beginLimit)
  const { clock, database, random, site } = ports
  const [ceremony, challenge] = [freshSecret(random), freshSecret(random)]
  const now = clock.now()
  await database.transact(() =>
    insertCeremony(now, {
      ...{ id: hashOf(ceremony), tenant: site.tenant, purpose: 'sign-in', person: undefined, code: undefined },
      ...{ data: { challenge }, expiresAt: now + ceremonyMs },
    }),
  )
  return {
    ceremony,
    options: { challenge, rpId: site.rp, timeout: ceremonyMs, userVerification: 'required', allowCredentials: [] },
  }
}

/**
 * Signs in whoever's passkey answered.
 * @param input.replaced the session token that the browser had before
 * @throws ceremony.*, passkey.*, access.denied
 */
export async function finishPasskeySignIn(
  ports: SignInPorts,
  _: Call,
  input: { ceremony: string; answer: AssertionAnswer; label: string; replaced: string | undefined },
): Promise<OpenedSession> {
  const { clock, database, random, site } = ports
  const of = { tenant: site.tenant, purpose: 'sign-in' as const, secret: input.ceremony }
  const { data } = await takeBegun<{ challenge: string }>(ports, of)
  const drawn = drawSession(random)
  const now = clock.now()
  return database.transact(function* () {
    const passkey = yield* findPasskey(site.tenant, input.answer.id)
    const person = passkey && (yield* findPersonById(passkey.person))
    if (!passkey || !person || person.tenant !== site.tenant) throw signInError('passkey.unknown')
    // The passkey alone says whose it is, so it has to say so.
    if (input.answer.userHandle === undefined) throw signInError('passkey.owner')
    const known = { ...passkey, userHandle: userHandle(person.id) }
    const expected = { challenge: data.challenge, origins: site.origins, rp: site.rp }
    const said = judgeAssertion(input.answer, known, expected)
    yield* notePasskeyUse(passkey.id, now, said)
    if (said.regressed) {
      const facts = { passkey: shortOf(passkey.id), before: passkey.counter, now: said.counter }
      yield* appendFact(ports.journal, {
        ...{ topic: 'passkey.regressed', about: person.id, actor: person.id, tenant: person.tenant, at: now, facts },
      })
      const notice = { kind: 'passkey.regressed', about: person.name, at: now, facts: { name: passkey.name } }
      yield* insertNotice(person.tenant, notice)
    }
    const { label, replaced } = input
    return yield* openSession(ports, drawn, now, {
      ...{ person, carrier: 'cookie', method: 'passkey', label, signOut: undefined, replaced },
    })
  })
}
