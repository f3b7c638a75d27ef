import { createPrivateKey, createSecretKey } from 'node:crypto'
import { FlattenedSign } from 'jose'
import { hasCode, type Json } from '#kernel'
import { findAccount, keepAccount, nameAccount } from '../certificates.store.ts'
import { endpointError } from '../errors.ts'
import { pemOf } from '../make-own.ts'
import type { AcmePorts } from '../ports.ts'
import type { AcmeConfig, ExternalAccount } from '../wanted.ts'
import { strange } from './answer.ts'
import { type AcmeServer, publicJwk, type Signer } from './server.ts'

const purpose = (directory: string) => `account at ${directory}`

/**
 * The account at an authority, made when there is none (RFC 8555 section 7.3). All gateways of an index have one together.
 * Its key is kept before the authority hears of it: asked again with the same key, it names the same account.
 * @throws acme.terms, acme.binding, and what `post` throws
 */
export async function openAccount(ports: AcmePorts, server: AcmeServer, config: AcmeConfig): Promise<Signer> {
  const { database, sealer } = ports
  const { directory } = config
  const found = () => database.read(() => findAccount(directory))
  if (!(await found())) {
    const sealed = sealer.seal(purpose(directory), pemOf(ports.newKey()))
    await database.transact(() => keepAccount(directory, sealed))
  }
  const kept = await found()
  if (!kept) throw endpointError('endpoint.damaged', { what: purpose(directory) })
  const key = createPrivateKey(sealer.open(purpose(directory), kept.sealed))
  if (kept.url !== '') return { key, account: kept.url }
  const account = await register(server, config, { key })
  await database.transact(() => nameAccount(directory, account))
  return { key, account }
}

/** Forgets what the authority calls the account when it does not know it any more, so that the next try registers again. */
export async function forgetAccount({ database }: AcmePorts, directory: string, error: unknown): Promise<void> {
  if (hasCode(error, 'acme.refused') && error.details.type === 'accountDoesNotExist')
    await database.transact(() => nameAccount(directory, ''))
}

async function register(server: AcmeServer, config: AcmeConfig, signer: Signer): Promise<string> {
  const { newAccount, terms, needsBinding } = await server.directory()
  if (terms !== undefined && !config.termsAgreed)
    throw endpointError('acme.terms', { server: server.name, detail: `they are at ${terms}.` })
  if (needsBinding && !config.externalAccount) throw endpointError('acme.binding', { server: server.name })
  const binding = config.externalAccount && (await bindingOf(config.externalAccount, newAccount, signer))
  const answer = await server.post(
    newAccount,
    {
      ...(config.termsAgreed && { termsOfServiceAgreed: true }),
      ...(config.contact.length > 0 && { contact: config.contact.map((mail) => `mailto:${mail}`) }),
      ...(binding && { externalAccountBinding: binding }),
    },
    signer,
  )
  const { location } = answer.headers
  if (location === undefined) throw strange(server.name, 'it does not name the account that it made')
  return location
}

/** Says to the authority whose account it is: our public key, signed with the key that it gave out (section 7.3.4). */
async function bindingOf({ keyId, hmacKey }: ExternalAccount, url: string, { key }: Signer): Promise<Json> {
  const payload = Buffer.from(JSON.stringify(publicJwk(key)))
  const signed = await new FlattenedSign(payload)
    .setProtectedHeader({ alg: 'HS256', kid: keyId, url })
    .sign(createSecretKey(hmacKey))
  return { protected: signed.protected ?? '', payload: signed.payload, signature: signed.signature }
}
