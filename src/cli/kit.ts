import { type ApiKits, type ApiKitState, discardKit as discard, listKits, proveKit, registerKit } from '#api'
import type { CliPorts, Common, KitPlace } from './ports.ts'
import { table } from './table.ts'

const day = (at: number | null) => (at === null ? 'never' : new Date(at).toISOString().slice(0, 10))

/** `pelago recovery-kit status`: exit code 1 while it is red. */
export async function kitStatus(ports: CliPorts, { data, json }: Common): Promise<number> {
  return told(ports, json, await ports.client(data, 'machine').ask(listKits, {}))
}

/** `pelago recovery-kit make`: the gateway is told hashes alone. */
export async function makeKit(ports: CliPorts, options: Common & KitPlace & { out: string }): Promise<number> {
  const { files, transit, kit } = await ports.keys.makeKit(options)
  await ports.client(options.data, 'machine').ask(registerKit, kit)
  const [one, two] = files
  if (options.json) ports.out(JSON.stringify({ kit: kit.kit, files, transit }))
  else {
    ports.out(`Recovery kit ${kit.kit}: three files, of which any two give back the keys.`)
    for (const file of files) ports.out(`  ${file}`)
    if (transit !== null)
      ports.out(`The root key is not in them: it stays at ${transit}. Keep what brings that server back as well.`)
    ports.out(
      'Give each to another person, on paper or on a medium of its own, and delete them here once that is done.',
    )
    ports.out(`Now test it with two of them, as they are kept: pelago recovery-kit test ${one} ${two}`)
  }
  return 0
}

/** `pelago recovery-kit test`: opens it as somebody would who has nothing else, then shows the gateway what was found. */
export async function testKit(ports: CliPorts, files: readonly string[], options: Common & KitPlace): Promise<number> {
  const { kit, proof, opened, epochs } = await ports.keys.testKit({ ...options, files })
  const answer = await ports.client(options.data, 'machine').ask(proveKit, { kit, proof })
  if (!options.json)
    ports.out(`The two files open kit ${kit}, and its root key opens ${opened} of ${epochs} keys in it.`)
  return told(ports, options.json, answer)
}

/** `pelago recovery-kit discard`. */
export async function discardKit(ports: CliPorts, kit: string, { data, json }: Common): Promise<number> {
  return told(ports, json, await ports.client(data, 'machine').ask(discard, { kit }))
}

/** `pelago recovery-kit restore`. */
export async function restoreKit(
  ports: CliPorts,
  files: readonly string[],
  { data, json, passphraseFile }: Common & { passphraseFile?: string },
): Promise<number> {
  const restored = await ports.keys.restoreKit({ files, data, ...(passphraseFile !== undefined && { passphraseFile }) })
  if (json) ports.out(JSON.stringify(restored))
  else for (const line of restoredLines(data, restored)) ports.out(line)
  return 0
}

function restoredLines(data: string, restored: Awaited<ReturnType<CliPorts['keys']['restoreKit']>>): string[] {
  const { root, transit, federation, epochs, madeAt, sealed, missing } = restored
  return [
    root === null
      ? `${data} has the gateway's keys and the anchor of ${federation}. The root key is at ${transit}: bring that back.`
      : `${data} has root key ${root}, the gateway's keys and the anchor of ${federation}.`,
    ...(root !== null && !sealed
      ? ['The root key lies in the clear: whoever reads its file reads everything. --passphrase-file seals it.']
      : []),
    epochs === null
      ? 'The key store that lay there stays as it is.'
      : `${epochs} keys of buckets are as they were on ${day(madeAt)}. A later backup of keys.db, put in place of ${data}/gateway/keys.db, knows those made since, and what was erased since.`,
    ...missing.map((file) => `The configurations name ${file}, which is not here. Put it back, or name another.`),
    `Now put the backup of index.db into ${data}/gateway, and start. Nothing finds the objects without it.`,
  ]
}

function told(ports: CliPorts, json: boolean, kits: ApiKits): number {
  if (json) ports.out(JSON.stringify(kits))
  else {
    ports.out(kitLine(kits))
    const rows = kits.kits.map(({ kit, gateway, madeAt, testedAt }) => [kit, gateway, day(madeAt), day(testedAt)])
    if (rows.length > 0) for (const line of table([['KIT', 'OF', 'MADE', 'TESTED'], ...rows])) ports.out(line)
  }
  return kits.light === 'red' ? 1 : 0
}

const parts: Record<ApiKitState['changed'][number], string> = {
  root: 'the root key',
  gateway: 'the key of the gateway',
  anchor: 'the key of the federation',
}

/** How it stands with the recovery kit, in a sentence. */
export function kitLine({ state, light, changed }: ApiKitState): string {
  switch (state) {
    case 'exempt':
      return 'Recovery kit: none, which is a demo’s right; whoever loses its folder loses everything. pelago recovery-kit make'
    case 'missing':
      return 'Recovery kit: RED. There is none, so whoever loses this machine loses everything, and no bucket is created. pelago recovery-kit make'
    case 'untested':
      return 'Recovery kit: RED. None was tested, so nobody knows whether it opens, and no bucket is created. pelago recovery-kit test FILE FILE'
    case 'stale': {
      const what = changed.map((part) => parts[part]).join(' and ')
      const colour = light === 'red' ? 'RED' : 'YELLOW'
      const means = changed.includes('root')
        ? 'what is wrapped by the new one would be lost with this machine'
        : 'what is stored could be read again, but the gateway must be made known anew'
      return `Recovery kit: ${colour}. Since it was made ${what} changed: ${means}. pelago recovery-kit make`
    }
    case 'tested':
      return 'Recovery kit: tested; two of its files give back the keys.'
  }
}
