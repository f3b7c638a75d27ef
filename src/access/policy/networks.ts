/** An address as 16 bytes; IPv4 lies where RFC 4291 2.5.5.2 maps it to. */
type Address = Uint8Array
export type Network = { address: Address; bits: number }

const mappedBits = 96

/** An address in words: dotted IPv4 or IPv6 with an optional zone. @returns undefined when it is neither */
export function readAddress(text: string): Address | undefined {
  const [bare = ''] = text.split('%')
  const four = readIpv4(bare)
  if (four) return mapped(four)
  return bare.includes(':') ? readIpv6(bare) : undefined
}

/** A network as RFC 4632 and RFC 4291 write it, or one address. Bits behind the prefix count for nothing. */
export function readNetwork(text: string): Network | undefined {
  const [base = '', prefix, more] = text.split('/')
  const address = readAddress(base)
  if (!address || more !== undefined) return undefined
  const most = base.includes(':') ? 128 : 32
  const bits = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN
  if (!(bits <= most)) return undefined
  return { address, bits: most === 32 ? bits + mappedBits : bits }
}

export function isWithin(address: Address, { address: base, bits }: Network): boolean {
  const whole = bits >> 3
  for (let at = 0; at < whole; at++) if (address[at] !== base[at]) return false
  const rest = bits & 7
  if (rest === 0) return true
  const mask = (0xff << (8 - rest)) & 0xff
  return ((address[whole] as number) & mask) === ((base[whole] as number) & mask)
}

function mapped(four: readonly number[]): Address {
  const address = new Uint8Array(16)
  address.set([0xff, 0xff, ...four], 10)
  return address
}

function readIpv4(text: string): number[] | undefined {
  const parts = text.split('.')
  // A zero in front means octal to some and nothing to others, so it is read by nobody.
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined
  return parts.map(Number)
}

function readIpv6(text: string): Address | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const groups = halves.map((half, at) => groupsOf(half, at === halves.length - 1))
  const [front, back = []] = groups
  if (!front || groups.includes(undefined)) return undefined
  const missing = 8 - front.length - back.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const all = [...front, ...Array.from({ length: Math.max(0, missing) }, () => 0), ...back]
  const address = new Uint8Array(16)
  for (const [at, group] of all.entries()) {
    address[2 * at] = group >> 8
    address[2 * at + 1] = group & 0xff
  }
  return address
}

/** @param ending whether dotted IPv4 may stand at the end */
function groupsOf(text: string, ending: boolean): number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const groups: number[] = []
  for (const [at, part] of parts.entries()) {
    const four = ending && at === parts.length - 1 ? readIpv4(part) : undefined
    if (four) {
      const [a, b, c, d] = four as [number, number, number, number]
      groups.push(a * 256 + b, c * 256 + d)
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16))
    else return undefined
  }
  return groups
}
