/** A number from 0 up to, not including, `below`: the same seed gives the same inputs. */
export type Dice = (below: number) => number

/** mulberry32 by Tommy Ettinger: small, and good enough for chance. */
export function openDice(seed: number): Dice {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

export const inputMost = 32 * 1024

/** What parsers have stumbled over in many programs. */
const troublesome = [
  ...[
    '',
    '\0',
    '\r\n',
    '\n',
    '\r',
    '\t',
    ' ',
    ',',
    ';',
    ':',
    '=',
    '&',
    '%',
    '%2',
    '%00',
    '%2F',
    '%ff',
    '/',
    '//',
    '..',
    '\\',
    '"',
  ],
  ...[
    '-1',
    '0',
    '1',
    '00',
    '1e9',
    '0x10',
    '99999999999999999999',
    '9007199254740993',
    '4294967296',
    '-0',
    'NaN',
    'null',
  ],
  ...['__proto__', 'constructor', 'toString', 'é', '\u{1f600}', '\ud800', '\u202e', 'a'.repeat(300), '['.repeat(200)],
]

const oddValues: unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 1e308, 2 ** 53, '', 'x', [], {}, [null], [[]], { a: null }, 'a'.repeat(2000)],
  JSON.parse('{"__proto__":{"x":1},"constructor":"y"}'),
  JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`),
]

const one = <T>(dice: Dice, of: readonly T[]): T => of[dice(of.length)] as T

/** A few changes to an input: of its bytes, of its words, or of its tree where it is JSON. */
export function mutate(dice: Dice, seeds: readonly Buffer[], words: readonly string[]): Buffer {
  let input: Buffer = Buffer.from(one(dice, seeds))
  for (let changes = dice(4); changes >= 0; changes--) {
    if (dice(3) === 0) input = mutateTree(dice, input) ?? mutateBytes(dice, input, seeds, words)
    else input = mutateBytes(dice, input, seeds, words)
  }
  return input.subarray(0, inputMost)
}

function mutateBytes(dice: Dice, input: Buffer, seeds: readonly Buffer[], words: readonly string[]): Buffer {
  const at = dice(input.length + 1)
  const to = Math.min(input.length, at + 1 + dice(dice(4) === 0 ? 200 : 8))
  const put = (piece: Buffer, upTo = at) => Buffer.concat([input.subarray(0, at), piece, input.subarray(upTo)])
  switch (dice(8)) {
    case 0: {
      const flipped = Buffer.from(input)
      if (at < flipped.length) flipped[at] = (flipped[at] as number) ^ (1 << dice(8))
      return flipped
    }
    case 1:
      return put(Buffer.alloc(0), to)
    case 2:
      return put(input.subarray(at, to))
    case 3:
      return put(Buffer.from(one(dice, troublesome)), dice(2) === 0 ? to : at)
    case 4:
      return put(Buffer.from(one(dice, words.length > 0 ? words : troublesome)), dice(2) === 0 ? to : at)
    case 5: {
      const other = one(dice, seeds)
      const from = dice(other.length + 1)
      return put(other.subarray(from, from + 1 + dice(400)), dice(2) === 0 ? to : at)
    }
    case 6: {
      // Another number in place of one that is there.
      const text = input.toString('latin1')
      const numbers = [...text.matchAll(/\d+/g)]
      const number = numbers.length > 0 ? one(dice, numbers) : undefined
      if (!number) return put(Buffer.from([dice(256)]))
      const odd = one(dice, ['0', '1', '-1', '18446744073709551616', '007', `${dice(100_000)}`, '1'.repeat(40)])
      return Buffer.from(text.slice(0, number.index) + odd + text.slice(number.index + number[0].length), 'latin1')
    }
    default:
      return put(Buffer.from(Array.from({ length: 1 + dice(6) }, () => dice(256))))
  }
}

/** @returns undefined for what is no JSON */
function mutateTree(dice: Dice, input: Buffer): Buffer | undefined {
  let tree: unknown
  try {
    tree = JSON.parse(input.toString())
  } catch {
    return undefined
  }
  const changed = changeNode(dice, tree)
  const text = JSON.stringify(changed) as string | undefined
  return text === undefined ? undefined : Buffer.from(text)
}

function changeNode(dice: Dice, node: unknown): unknown {
  if (typeof node !== 'object' || node === null || dice(4) === 0) return one(dice, oddValues)
  if (Array.isArray(node)) {
    const list = [...(node as unknown[])]
    const at = dice(list.length + 1)
    if (dice(4) === 0) list.splice(at, dice(2), one(dice, oddValues))
    else if (at < list.length) list[at] = changeNode(dice, list[at])
    else if (list.length > 0) list.push(list[0])
    return list
  }
  const entries = Object.entries(node)
  const at = dice(entries.length + 1)
  const entry = entries[at]
  if (!entry) entries.push([one(dice, ['__proto__', 'constructor', 'extra', '']), one(dice, oddValues)])
  else if (dice(5) === 0) entries.splice(at, 1)
  else entries[at] = [entry[0], changeNode(dice, entry[1])]
  return Object.fromEntries(entries)
}
