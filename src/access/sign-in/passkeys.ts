import { appendFact } from '#journal'
import type { Call, Json, Row, Statement } from '#kernel'
import { getPerson, type Person } from '../records/people.store.ts'
import { beginLimit, ceremonyMs, spendAttempt, takeBegun } from './ceremony.ts'
import { insertCeremony } from './ceremonies.store.ts'
import { judgeRegistration, type RegistrationAnswer } from './judge-passkey.ts'
import { passkeyAlgorithms } from './passkey-key.ts'
import { deletePasskey, insertPasskey, listPasskeys as listStored, type Passkey } from './passkeys.store.ts'
import type { SignInPorts } from './ports.ts'
import { insertNotice } from './recoveries.store.ts'
import { freshSecret, hashOf } from './secrets.ts'

type Step<T> = Generator<Statement, T, Row[]>

/** What a page hands to `navigator.credentials.create()`, bytes as base64url. Source: WebAuthn level 3 section 5.4. */
export type RegistrationOptions = { ceremony: string; options: { [key: string]: Json } }
type Registration = { challenge: string }
export type Named = { ceremony: string; name: string; answer: RegistrationAnswer }

/** Begins to register one more passkey of whoever asks. @throws attempts.spent, ceremony.crowded */
export async function beginPasskey(ports: SignInPorts, call: Call): Promise<RegistrationOptions> {
  await spendAttempt(ports, `begin passkey ${call.tenant} ${call.actor}`, beginLimit)
  const person = await ports.database.read(() => getPerson(call.tenant, call.actor))
  return beginRegistration(ports, person)
}

/** Registers it. @throws ceremony.*, passkey.* */
export async function finishPasskey(ports: SignInPorts, call: Call, input: Named): Promise<Passkey> {
  const person = await ports.database.read(() => getPerson(call.tenant, call.actor))
  return ports.database.transact(await finishRegistration(ports, person, input))
}

/** Whoever asks sees his own. */
export async function listPasskeys(ports: SignInPorts, call: Call): Promise<Passkey[]> {
  return ports.database.read(function* () {
    return yield* listStored((yield* getPerson(call.tenant, call.actor)).id)
  })
}

/** Removes one of the asker's own, never the last. @throws passkey.missing, passkey.last */
export async function removePasskey(ports: SignInPorts, call: Call, id: string): Promise<void> {
  const at = ports.clock.now()
  await ports.database.transact(function* () {
    const person = yield* getPerson(call.tenant, call.actor)
    yield* deletePasskey(person.id, id)
    yield* appendFact(ports.journal, {
      ...{ topic: 'passkey.removed', about: person.id, actor: person.id, tenant: person.tenant, at },
      facts: { passkey: shortOf(id) },
    })
  })
}

/** Begins a registration for a person who is known by whatever means the caller has checked. */
export async function beginRegistration(ports: SignInPorts, person: Person): Promise<RegistrationOptions> {
  const { clock, database, random, site } = ports
  const [ceremony, challenge] = [freshSecret(random), freshSecret(random)]
  const now = clock.now()
  const known = await database.transact(function* () {
    yield* insertCeremony(now, {
      id: hashOf(ceremony),
      tenant: person.tenant,
      purpose: 'passkey',
      person: person.id,
      code: undefined,
      data: { challenge } satisfies Registration,
      expiresAt: now + ceremonyMs,
    })
    return yield* listStored(person.id)
  })
  return {
    ceremony,
    options: {
      challenge,
      rp: { id: site.rp, name: site.name },
      user: { id: userHandle(person.id), name: person.name, displayName: person.displayName },
      pubKeyCredParams: passkeyAlgorithms.map((alg) => ({ type: 'public-key', alg })),
      timeout: ceremonyMs,
      excludeCredentials: known.map(({ id, transports }) => ({ type: 'public-key', id, transports })),
      authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      attestation: 'none',
    },
  }
}

/**
 * Judges the answer to a registration.
 * @returns the step that writes the passkey down, for the caller's transaction
 * @throws ceremony.*, passkey.*
 */
export async function finishRegistration(
  ports: SignInPorts,
  person: Person,
  { ceremony, name, answer }: Named,
): Promise<() => Step<Passkey>> {
  const { clock, site } = ports
  const of = { tenant: person.tenant, purpose: 'passkey' as const, secret: ceremony, person: person.id }
  const { data } = await takeBegun<Registration>(ports, of)
  const { transports = [], ...rest } = answer
  const fresh = judgeRegistration(rest, { challenge: data.challenge, origins: site.origins, rp: site.rp })
  const createdAt = clock.now()
  const passkey: Passkey = {
    ...{ ...fresh, tenant: person.tenant, person: person.id, name, transports, createdAt },
    usedAt: undefined,
    regressedAt: undefined,
  }
  return function* () {
    yield* insertPasskey(passkey)
    const facts = { passkey: shortOf(passkey.id) }
    yield* appendFact(ports.journal, {
      ...{
        topic: 'passkey.registered',
        about: person.id,
        actor: person.id,
        tenant: person.tenant,
        at: createdAt,
        facts,
      },
    })
    yield* insertNotice(person.tenant, {
      kind: 'passkey.registered',
      about: person.name,
      at: createdAt,
      facts: { name },
    })
    return passkey
  }
}

/** By what an authenticator knows whose a passkey is; it says nothing about the person. */
export const userHandle = (person: string) => Buffer.from(person).toString('base64url')

/** A passkey's name in the log: enough to tell two apart, too little to use. */
export const shortOf = (id: string) => hashOf(id).slice(0, 16)
