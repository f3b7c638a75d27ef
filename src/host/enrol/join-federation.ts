import { createPublicKey, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, statfsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { joinFederation, type Output } from '#api'
import type { GatewayJoin, Joined, JoinOptions, ProviderJoin } from '#cli'
import { verifyDirectory } from '#pool'
import { type InvitationCode, pinOfKey, readInvitationCode, trustError } from '#trust'
import { systemClock } from '../clock.ts'
import { keepPrivate, writePrivate, writePrivateJson } from '../disk/write-file.ts'
import { openRandom } from '../random.ts'
import { type AccessConfig, accessConfig, readConfig } from '../run/configuration.ts'
import { directoryKeyOf } from '../run/directory-copy.ts'
import { freshAccess } from '../run/fresh-access.ts'
import { keyIn, publicHexOf } from '../run/own-keys.ts'
import { addressOf, isSecure, urlOf } from './addresses.ts'
import { fetchAuthority } from './fetch-authority.ts'
import { openFederationLink } from './federation-link.ts'
import { initUnwrap } from './init-unwrap.ts'
import { giveToOwner, keepToken, openRoleFolder, setKeysAside, writeConfiguration } from './role-folder.ts'

/** Of what is free, so much may be used when nothing is said. */
const quotaPart = 0.9
const usual = { s3: '127.0.0.1:9000', api: '127.0.0.1:4100', region: 'eu-central-1' }

/**
 * Joins a federation as a provider: makes keys, shows the code, writes down what the federation answers, and the configuration.
 * @throws invitation.*, join.spent, member.*, folder.role, address.unclear, tls.authority, connect.*
 */
export async function joinAsProvider(code: string, options: ProviderJoin): Promise<Joined> {
  const invitation = readInvitationCode(code, 'provider')
  const { url: endpoint, ...reached } = urlOf(options.endpoint, '--endpoint')
  const listen = options.listen === undefined ? reached : addressOf(options.listen, '--listen')
  const folder = resolve(options.data)
  openRoleFolder(folder, 'provider')
  const quotaBytes = options.quota ?? Math.floor(freeBytes(folder) * quotaPart)
  const joined = await enrol(invitation, folder, options, { endpoint, capacityBytes: quotaBytes })
  const store = join(folder, 'store')
  mkdirSync(store, { recursive: true, mode: 0o700 })
  writePrivateJson(join(store, 'directory.json'), joined.directory)
  const role = { version: 1, role: 'provider', folder: store, keyFile: join(folder, 'key.pem') }
  writeConfiguration(folder, role, {
    id: joined.id,
    shards: { ...listen, ...(isSecure(endpoint) && { tls: true }) },
    quotaBytes,
    ...enrolledIn(folder, invitation, joined),
  })
  giveToOwner(folder, 'store')
  return { id: joined.id, folder, federation: invitation.url }
}

/**
 * Joins a federation as a gateway, and makes or extends the folder of the process that holds the root key.
 * @returns with the first access key of S3, where there was none
 * @throws as `joinAsProvider`
 */
export async function joinAsGateway(
  code: string,
  options: GatewayJoin,
): Promise<Joined & { unwrap: string; access?: AccessConfig['keys'][number] }> {
  const invitation = readInvitationCode(code, 'gateway')
  const [s3, api] = [addressOf(options.s3 ?? usual.s3, '--s3'), addressOf(options.api ?? usual.api, '--api')]
  const folder = resolve(options.data)
  const unwrap = options.unwrap === undefined ? join(dirname(folder), 'unwrap') : resolve(options.unwrap)
  openRoleFolder(folder, 'gateway')
  const joined = await enrol(invitation, folder, options, {})
  const { passphraseFile, unwrapSocket: socket } = options
  const gateway = { id: joined.id, publicKey: publicHexOf(keyIn(join(folder, 'key.pem'), 'x25519')) }
  const holder = initUnwrap({
    ...{ data: unwrap, gateway },
    ...(passphraseFile !== undefined && { passphraseFile }),
    ...(socket !== undefined && { socket: resolve(socket) }),
  })
  keepToken(join(folder, 'api-token'))
  const accessFile = join(folder, 'access.json')
  const first = !existsSync(accessFile)
  keepPrivate(accessFile, () => `${JSON.stringify({ keys: [freshAccess('first')] }, null, 2)}\n`)
  const region = options.region ?? usual.region
  const hostnames = [...(options.hostname ?? ['localhost', 's3.localhost'])]
  writeConfiguration(
    folder,
    {
      ...{ version: 1, role: 'gateway', folder, s3: { ...s3, region, hostnames }, api },
      ...{ tokenFile: join(folder, 'api-token'), keyFile: join(folder, 'key.pem'), accessFile },
    },
    { id: joined.id, unwrap: holder, ...enrolledIn(folder, invitation, joined) },
  )
  giveToOwner(folder)
  const [access] = readConfig(accessFile, accessConfig).keys
  return { id: joined.id, folder, federation: invitation.url, unwrap, ...(first && access && { access }) }
}

type Answer = Output<typeof joinFederation>

/** Makes the keys, asks the federation to be let in, and keeps what it gives. */
async function enrol(
  invitation: InvitationCode,
  folder: string,
  { newKeys = false }: JoinOptions,
  place: { endpoint?: string; capacityBytes?: number },
): Promise<Answer> {
  const { url, member: id, secret } = invitation
  const ports = { clock: systemClock, random: openRandom() }
  const authority = await authorityOf(invitation)
  if (newKeys) setKeysAside(folder, ['key.pem', 'identity.pem'], systemClock.now())
  const key = keyIn(join(folder, 'identity.pem'), 'p256')
  const identity = createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64')
  const publicKey = publicHexOf(keyIn(join(folder, 'key.pem'), 'x25519'))
  const link = openFederationLink(ports, { url, id, key, authority })
  try {
    const asked = { invitation: invitation.invitation, secret, publicKey, identity, ...place }
    const joined = await link.ask(joinFederation, asked)
    checkAnswer(joined, invitation)
    writePrivate(join(folder, 'authority.pem'), joined.authority)
    writePrivate(join(folder, 'certificate.pem'), joined.certificate)
    return joined
  } finally {
    link.close()
  }
}

/** Plainly nobody shows a certificate: the authority comes with the answer then, and is held against the code. */
function authorityOf({ url, authority }: InvitationCode): Promise<X509Certificate | undefined> {
  return new URL(url).protocol === 'https:' ? fetchAuthority(url, authority) : Promise.resolve(undefined)
}

/** @throws tls.authority, directory.invalid */
function checkAnswer({ authority, directory, directoryKey }: Answer, { url, authority: pin }: InvitationCode): void {
  if (pinOfKey(new X509Certificate(authority).publicKey) !== pin)
    throw trustError('tls.authority', { peer: `the federation at ${url}`, reason: 'the code names another authority' })
  verifyDirectory(directory, directoryKeyOf(directoryKey), 0)
}

function enrolledIn(folder: string, { url }: InvitationCode, { directoryKey }: Answer) {
  return {
    federation: { url, publicKey: directoryKey },
    enrolled: {
      identityFile: join(folder, 'identity.pem'),
      certificateFile: join(folder, 'certificate.pem'),
      authorityFile: join(folder, 'authority.pem'),
    },
  }
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}
