import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path'
import type { KeyTools, KitPlace } from '#cli'
import type { Json } from '#kernel'
import { epochContext, type KeptEpoch, keptEpochs, putEpoch } from '#storage'
import { systemClock } from '../clock.ts'
import { openSqlite } from '../database/sqlite.ts'
import { writePrivate, writePrivateJson } from '../disk/write-file.ts'
import { hostError } from '../errors.ts'
import { gatewayConfig, readConfig, unwrapConfig } from '../run/configuration.ts'
import { openKeys } from '../run/open-databases.ts'
import { keySchemas } from '../run/schemas.ts'
import { kitFacts } from './kit-facts.ts'
import { type KitContent, makeKit, openKit } from './kit-file.ts'
import { unwrapConfigIn } from './key-tools.ts'
import { openRoot, type RootConfig, sealingOf } from './open-root.ts'
import { namedRoot, readRootFile, rootOf, type RootKeys, writeRootFile } from './root-file.ts'

const pageEpochs = 1000
/** Of keys that a server opens so many are tried: each is a question. */
const triedAtServer = 100
const kitFileMost = 64 * 1024 * 1024

/** Writes the three files of a kit. @throws file.exists, file.missing, kit.inside, key.unavailable */
export async function writeKit(place: KitPlace & { out: string }): ReturnType<KeyTools['makeKit']> {
  const [unwrapFile, gatewayFile] = configsIn(place)
  const { root: config } = readConfig(unwrapFile, unwrapConfig)
  const gateway = readConfig(gatewayFile, gatewayConfig)
  const out = resolve(place.out)
  for (const lost of [resolve(place.data), resolve(gateway.folder)])
    if (`${out}${sep}`.startsWith(`${lost}${sep}`)) throw hostError('kit.inside', { folder: lost })
  const rootKeys = config.kind === 'file' ? keysOf(config) : []
  const root = await rootBy(config, rootKeys).newest()
  const proof = randomBytes(32)
  const madeAt = systemClock.now()
  const { url = '', mount = 'transit', key: transitKey = '' } = config
  const content: KitContent = {
    version: 1,
    ...{ madeAt, gateway: gateway.id, root },
    rootKeys: rootKeys.map(({ id, createdAt, key: bytes }) => ({
      ...{ id, createdAt },
      key: Buffer.from(bytes).toString('hex'),
    })),
    ...(config.kind === 'transit' && { transit: { url, mount, key: transitKey } }),
    federation: { url: gateway.federation.url, publicKey: gateway.federation.publicKey },
    files: filesOf(unwrapFile, gatewayFile, gateway.folder),
    epochs: (await epochsIn(gateway)).map(({ wrapped, ...epoch }) => ({
      ...epoch,
      wrapped: Buffer.from(wrapped).toString('hex'),
    })),
    proof: proof.toString('hex'),
  }
  const { id, texts } = makeKit(content)
  const files = texts.map((_, at) => join(out, `recovery-kit-${id.slice(0, 8)}-${at + 1}.txt`))
  for (const file of files) if (existsSync(file)) throw hostError('file.exists', { file })
  for (const [at, file] of files.entries()) writePrivate(file, texts[at] as string)
  const { gatewayKey, anchor } = kitFacts(gateway)
  const hash = createHash('sha256').update(proof).digest('hex')
  return {
    files,
    transit: content.transit?.url ?? null,
    kit: { kit: id, root, gatewayKey, anchor, proof: hash, madeAt },
  }
}

/**
 * Opens a kit as somebody would who has lost everything else, and looks whether its root keys open the keys of buckets in it.
 * @throws kit.unopened and what `openKit` throws
 */
export async function testKit({
  files,
  ...place
}: KitPlace & { files: readonly string[] }): ReturnType<KeyTools['testKit']> {
  const { id, content } = openKit(files.map(textIn))
  const own = rootKeysOf(content)
  // A kit without root keys proves with the server where they are.
  const root = rootBy(own.length > 0 ? { kind: 'file' } : readConfig(configsIn(place)[0], unwrapConfig).root, own)
  const tried = own.length > 0 ? content.epochs : content.epochs.slice(0, triedAtServer)
  for (const { scope, epoch, root: by, wrapped } of tried)
    await root.unwrap({ root: by, wrapped: Buffer.from(wrapped, 'hex') }, epochContext(scope, epoch))
  return { kit: id, proof: content.proof, opened: tried.length, epochs: content.epochs.length }
}

/**
 * Puts back what a kit holds into a folder that has none of it. Configurations name the files where they are now.
 * @throws file.exists, kit.unopened and what `openKit` throws
 */
export async function restoreKit({
  files,
  data,
  passphraseFile,
}: {
  files: readonly string[]
  data: string
  passphraseFile?: string
}): ReturnType<KeyTools['restoreKit']> {
  const { content } = openKit(files.map(textIn))
  const at = (...parts: string[]) => join(resolve(data), ...parts)
  const sealing =
    passphraseFile === undefined ? undefined : sealingOf({ kind: 'file', passphraseFile: resolve(passphraseFile) })
  const [rootFile, keysFile] = [at('unwrap', 'root.key'), at('gateway', 'keys.db')]
  const written = [
    ...content.files.map(({ name }) => inside(data, name)),
    ...(content.rootKeys.length > 0 ? [rootFile] : []),
  ]
  for (const file of written) if (existsSync(file)) throw hostError('file.exists', { file })

  const own = rootKeysOf(content)
  if (own.length > 0) writeRootFile(rootFile, own, sealing)
  const missing: string[] = []
  const moved = placesIn(content, data)
  const isConfig = ({ name }: { name: string }) => basename(name) === 'config.json'
  for (const { name, holds } of content.files.filter((file) => !isConfig(file))) writePrivate(inside(data, name), holds)
  // These last, so that what they name is there by then.
  for (const { name, holds } of content.files.filter(isConfig))
    writePrivateJson(inside(data, name), movedConfig(JSON.parse(holds) as Json, { moved, passphraseFile, missing }))
  // A backup of the key store that lies there already is newer than the copy in the kit, and knows what was destroyed since.
  const copied = !existsSync(keysFile)
  if (copied) await putEpochs(keysFile, content.epochs)
  return {
    root: own.length > 0 ? content.root : null,
    transit: content.transit?.url ?? null,
    federation: content.federation.url,
    epochs: copied ? content.epochs.length : null,
    madeAt: content.madeAt,
    sealed: sealing !== undefined,
    missing,
  }
}

const rootKeysOf = ({ rootKeys }: KitContent): RootKeys =>
  rootKeys.map(({ createdAt, key }) => namedRoot(Buffer.from(key, 'hex'), createdAt))

const keysOf = (config: RootConfig): RootKeys => readRootFile(config.file ?? '', sealingOf(config)?.passphrase)

const rootBy = (config: RootConfig, keys: RootKeys) =>
  keys.length > 0 ? rootOf(keys) : openRoot({ clock: systemClock, log: () => {} }, config)

/** Configurations of the unwrap process and of the gateway. */
function configsIn(place: KitPlace): [string, string] {
  const within = resolve(place.data, 'gateway', 'config.json')
  const found = existsSync(within) ? within : resolve(place.data, 'config.json')
  return [unwrapConfigIn(place), place.gatewayConfig === undefined ? found : resolve(place.gatewayConfig)]
}

/** What of both processes cannot be made anew, or not without others: keys, tokens, access keys, directory, configurations. */
function filesOf(unwrapFile: string, gatewayFile: string, folder: string): KitContent['files'] {
  const [unwrap, gateway] = [readConfig(unwrapFile, unwrapConfig), readConfig(gatewayFile, gatewayConfig)]
  const wanted: [name: string, was: string][] = [
    ['unwrap/config.json', unwrapFile],
    ['unwrap/key.pem', unwrap.keyFile],
    ['gateway/config.json', gatewayFile],
    ['gateway/key.pem', gateway.keyFile],
    ['gateway/access.json', gateway.accessFile],
    [dirname(gateway.tokenFile) === resolve(folder) ? 'gateway/api-token' : 'api-token', gateway.tokenFile],
    ['gateway/directory.json', join(folder, 'directory.json')],
    // The gateway's identity towards the federation, and the federation's authority, where it is enrolled.
    ['gateway/identity.pem', gateway.enrolled?.identityFile ?? ''],
    ['gateway/certificate.pem', gateway.enrolled?.certificateFile ?? ''],
    ['gateway/authority.pem', gateway.enrolled?.authorityFile ?? ''],
  ]
  return wanted.flatMap(([name, was]) =>
    was !== '' && existsSync(was) ? [{ name, was: resolve(was), holds: readFileSync(was, 'utf8') }] : [],
  )
}

/** Names in a kit are relative and lead nowhere else. @throws kit.unopened */
function inside(data: string, name: string): string {
  const folder = resolve(data)
  const path = resolve(folder, name)
  if (!path.startsWith(`${folder}${sep}`)) throw hostError('kit.unopened', { reason: `it names the odd file ${name}` })
  return path
}

/** Where what a path named on the old machine is now; the path itself for what was in neither of the two folders. */
function placesIn({ files }: KitContent, data: string): (path: string) => string {
  const named = new Map(files.map(({ name, was }) => [was, inside(data, name)]))
  const unwrap = files.find(({ name }) => name === 'unwrap/config.json')
  const gateway = files.find(({ name }) => name === 'gateway/config.json')
  const folders: [was: string, now: string][] = []
  if (unwrap) {
    folders.push([dirname(unwrap.was), inside(data, 'unwrap')])
    const { root } = JSON.parse(unwrap.holds) as { root: RootConfig }
    if (root.file !== undefined) named.set(resolve(root.file), inside(data, 'unwrap/root.key'))
  }
  if (gateway)
    folders.push([resolve((JSON.parse(gateway.holds) as { folder: string }).folder), inside(data, 'gateway')])
  return (path) => {
    const found = named.get(path)
    if (found !== undefined) return found
    const [was, now] = folders.find(([folder]) => path === folder || path.startsWith(folder + sep)) ?? ['', '']
    return was === '' ? path : now + path.slice(was.length)
  }
}

/**
 * A configuration with the files where they are now.
 * @param missing takes the names of files that it wants and that are not here
 */
function movedConfig(
  config: Json,
  place: { moved(path: string): string; passphraseFile: string | undefined; missing: string[] },
): Json {
  const { moved, missing } = place
  const passphrase = place.passphraseFile === undefined ? undefined : resolve(place.passphraseFile)
  const walk = (value: Json, name: string): Json => {
    if (typeof value === 'string') {
      if (!isAbsolute(value)) return value
      const now = moved(value)
      if (name.endsWith('File') && !existsSync(now)) missing.push(now)
      return now
    }
    if (Array.isArray(value)) return value.map((one) => walk(one, name))
    if (value === null || typeof value !== 'object') return value
    // The root key comes back without its passphrase, and gets the one that is named now.
    const fields = Object.entries(value).filter(([key]) => key !== 'passphraseFile')
    const walked: Json = Object.fromEntries(fields.map(([key, one]) => [key, walk(one, key)]))
    return name === 'root' && value.kind === 'file' && passphrase !== undefined
      ? { ...walked, passphraseFile: passphrase }
      : walked
  }
  return walk(config, '')
}

/** @throws file.missing, kit.altered */
function textIn(file: string): { file: string; text: string } {
  const found = statSync(file, { throwIfNoEntry: false })
  if (!found?.isFile()) throw hostError('file.missing', { file })
  if (found.size > kitFileMost) throw hostError('kit.altered', { file, reason: 'it is too long' })
  return { file, text: readFileSync(file, 'utf8') }
}

/** The whole key store, as it is wrapped. */
async function epochsIn(config: Parameters<typeof openKeys>[0]): Promise<KeptEpoch[]> {
  const database = await openKeys(config, keySchemas)
  try {
    const all: KeptEpoch[] = []
    for (;;) {
      const { scope, epoch } = all[all.length - 1] ?? { scope: '', epoch: 0 }
      const page = await database.read(() => keptEpochs({ scope, epoch }, pageEpochs))
      all.push(...page)
      if (page.length < pageEpochs) return all
    }
  } finally {
    await database.close()
  }
}

async function putEpochs(file: string, epochs: KitContent['epochs']): Promise<void> {
  const database = await openSqlite({ file, schemas: keySchemas })
  try {
    await database.transact(function* () {
      for (const { wrapped, ...epoch } of epochs) yield* putEpoch({ ...epoch, wrapped: Buffer.from(wrapped, 'hex') })
    })
  } finally {
    await database.close()
  }
}
