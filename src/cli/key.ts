import {
  type ApiErasure,
  type ApiKeyMove,
  getRootKey,
  listEpochs,
  listErasures,
  type Output,
  rotateBucketKey,
  rotatePackKeys,
} from '#api'
import { cliError } from './errors.ts'
import type { CliPorts, Common } from './ports.ts'
import { table } from './table.ts'

type Where = Common & { root?: boolean; packs?: boolean; unwrapConfig?: string }

const time = (at: number | null) => (at === null ? 'unknown' : new Date(at).toISOString().slice(0, 19))

/** `pelago key list BUCKET`: which epochs have keys, how far a rotation is, what the last one erased. Exit code 1 when keys are stuck. */
export async function listEpochsOf(ports: CliPorts, name: string, { data, json }: Common): Promise<number> {
  const answer = await ports.client(data).ask(listEpochs, { name })
  if (json) ports.out(JSON.stringify(answer))
  else for (const line of epochLines(answer, ports.now())) ports.out(line)
  return (answer.move?.stuck ?? 0) > 0 ? 1 : 0
}

export function epochLines({ epochs, move, erasure, unconfirmed }: Output<typeof listEpochs>, now: number): string[] {
  if (epochs.length === 0) return ['Nothing was stored yet, so there is no key.']
  const rows = epochs.map(({ epoch, state, since }) => [String(epoch), state, time(since)])
  return [
    ...table([['EPOCH', 'STATE', 'SINCE'], ...rows]),
    move ? moveLine(move, now) : 'No rotation is under way.',
    ...(erasure ? erasureLines(erasure, unconfirmed) : []),
  ]
}

/** `pelago key list --root`. Exit code 1 while the root key does not answer or keys are stuck. */
export async function listRoots(ports: CliPorts, { data, json }: Common): Promise<number> {
  const keys = await ports.client(data, 'machine').ask(getRootKey, {})
  if (json) ports.out(JSON.stringify(keys))
  else for (const line of rootLines(keys, ports.now())) ports.out(line)
  return keys.root === null || keys.moves.some(({ stuck }) => stuck > 0) ? 1 : 0
}

export function rootLines({ root, roots, moves, asked }: Output<typeof getRootKey>, now: number): string[] {
  const rows = roots.map((one) => [
    one.root || '(before they had names)',
    String(one.epochs),
    one.root === root ? 'wraps' : 'opens',
  ])
  return [
    ...(root === null ? ['The root key does not answer. What is in memory goes on for some minutes.'] : []),
    ...(rows.length > 0 ? table([['ROOT KEY', 'EPOCHS', ''], ...rows]) : []),
    ...(moves.length === 0 ? ['No rotation is under way.'] : moves.map((move) => moveLine(move, now))),
    ...(asked === null
      ? []
      : [
          `The unwrap process has opened ${asked.unwrap ?? 0} keys and refused ${asked.refused ?? 0} questions since it was started.`,
        ]),
  ]
}

const says: Record<ApiKeyMove['state'], string> = {
  moving: 'keys are wrapped anew',
  settled: 'writes that began earlier are given time',
  fenced: 'everything is looked at once more',
  waiting: 'readers that began earlier are given time; then the older keys are destroyed',
  ending: 'it was deleted, and readers that began earlier are given time; then all of its keys are destroyed',
}

function moveLine({ kind, scope, epoch, state, moved, stuck, notBefore }: ApiKeyMove, now: number): string {
  const wait = notBefore > now ? ` (for ${Math.ceil((notBefore - now) / 60_000)} more minutes)` : ''
  const where = kind === 'bucket' ? `the bucket ${scope}` : `the packs ${scope.replace(/^pack-/, '')}`
  if (state === 'ending') return `The keys of ${where}: ${says.ending}${wait}.`
  const trouble = stuck > 0 ? ` ${stuck} keys do not open, so nothing is destroyed; the log says which.` : ''
  return `The keys of ${where} go to epoch ${epoch}: ${says[state]}${wait}, ${moved} so far.${trouble}`
}

/** What the destruction of keys proves, and what it does not. */
export function erasureLines(
  { bucket, before, destroyedAt, epochs }: ApiErasure,
  unconfirmed: readonly string[],
): string[] {
  const what = `What was deleted in ${bucket} before ${time(before)} UTC`
  if (destroyedAt === null) return [`${what} is deleted, and erased once its keys are destroyed.`]
  const keys = epochs === 1 ? 'the keys of 1 epoch were' : `the keys of ${epochs} epochs were`
  return [
    `${what} is erased: ${keys} destroyed at ${time(destroyedAt)} UTC.`,
    ...(unconfirmed.length > 0 ? ['Not confirmed to be gone:', ...unconfirmed.map((line) => `- ${line}`)] : []),
  ]
}

/** `pelago key erasures`: of each bucket, also those that were deleted. */
export async function erasures(ports: CliPorts, { data, json }: Common): Promise<number> {
  const client = ports.client(data)
  const found: ApiErasure[] = []
  let after: string | null = null
  do {
    const page: Output<typeof listErasures> = await client.ask(listErasures, after === null ? {} : { after })
    found.push(...page.erasures)
    after = page.next
  } while (after !== null)
  if (json) ports.out(JSON.stringify({ erasures: found }))
  else if (found.length === 0) ports.out('No keys were destroyed yet: what is deleted is not erased.')
  else for (const erasure of found) for (const line of erasureLines(erasure, [])) ports.out(line)
  return 0
}

/** `pelago key rotate BUCKET`, `--packs`, `--root`. @throws rotate.what when none or several are named */
export async function rotate(ports: CliPorts, bucket: string | undefined, options: Where): Promise<number> {
  const { data, json, root = false, packs = false } = options
  if (Number(bucket !== undefined) + Number(root) + Number(packs) !== 1) throw cliError('rotate.what')
  const say = (answer: object, ...sentences: string[]) => {
    if (json) ports.out(JSON.stringify(answer))
    else for (const sentence of sentences) ports.out(sentence)
    return 0
  }
  if (bucket !== undefined) {
    const move = await ports.client(data).ask(rotateBucketKey, { name: bucket })
    return say(
      move,
      `New objects in ${bucket} are under epoch ${move.epoch} from now on. The others follow, then the older keys are destroyed: pelago key list ${bucket}`,
    )
  }
  if (packs) {
    const answer = await ports.client(data, 'machine').ask(rotatePackKeys, {})
    return say(answer, `The keys of ${answer.moves.length} kinds of packs are on their way: pelago key list --root`)
  }
  const made = await ports.keys.rotateRoot(options)
  return say(
    made,
    `Root key ${made.root} wraps from now on. Keys under the older ones are wrapped anew by themselves: pelago key list --root`,
    'When none is left under an older one, take those away: pelago key retire',
  )
}

/** `pelago key retire`. @throws root.needed while an older root key still wraps something */
export async function retireRoots(ports: CliPorts, options: Where): Promise<number> {
  const { root, roots } = await ports.client(options.data, 'machine').ask(getRootKey, {})
  const older = roots.filter((one) => one.root !== root)
  if (root === null || older.length > 0)
    throw cliError('root.needed', { epochs: older.reduce((sum, { epochs }) => sum + epochs, 0) })
  const retired = await ports.keys.retireRoots(options, root)
  ports.out(
    options.json
      ? JSON.stringify(retired)
      : `${retired.retired.length} older root keys are gone from the file; copies of it are yours to destroy. ${retired.root} is left.`,
  )
  return 0
}
