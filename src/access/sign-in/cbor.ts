/** A value of CBOR, as far as authenticators send it. Maps keep numbers and texts as keys. */
export type Cbor = number | string | boolean | null | Uint8Array | Cbor[] | Map<number | string, Cbor>

const depthMost = 4
const entriesMost = 64
const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads one value of CBOR in the strict form that authenticators must send: definite lengths, shortest numbers, no tags,
 * no floats, no key twice. Source: RFC 8949, CTAP 2.1 section 8.
 * @returns the value, and how many bytes it took
 * @throws RangeError for anything else
 */
export function readCbor(bytes: Uint8Array): { value: Cbor; length: number } {
  let at = 0
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw new RangeError('it ends too soon')
    const taken = bytes.subarray(at, at + length)
    at += length
    return taken
  }
  const count = (low: number): number => {
    if (low < 24) return low
    if (low > 26) throw new RangeError('it has a length that nobody sends')
    let value = 0
    for (const byte of take(2 ** (low - 24))) value = value * 256 + byte
    if (value < (low === 24 ? 24 : low === 25 ? 2 ** 8 : 2 ** 16))
      throw new RangeError('a number is longer than needed')
    return value
  }
  const read = (depth: number): Cbor => {
    if (depth > depthMost) throw new RangeError('it is nested too deep')
    const [head] = take(1) as unknown as [number]
    const low = head & 31
    switch (head >> 5) {
      case 0:
        return count(low)
      case 1:
        return -1 - count(low)
      case 2:
        return take(count(low))
      case 3:
        return decoder.decode(take(count(low)))
      case 4:
        return Array.from({ length: entries(count(low)) }, () => read(depth + 1))
      case 5: {
        const map = new Map<number | string, Cbor>()
        for (let left = entries(count(low)); left > 0; left--) {
          const key = read(depth + 1)
          if ((typeof key !== 'number' && typeof key !== 'string') || map.has(key))
            throw new RangeError('a map has a key twice, or one of another kind')
          map.set(key, read(depth + 1))
        }
        return map
      }
      default:
        if (head === 0xf4 || head === 0xf5) return head === 0xf5
        if (head === 0xf6) return null
        throw new RangeError('it holds a kind of value that nobody sends')
    }
  }
  const value = read(0)
  return { value, length: at }
}

function entries(count: number): number {
  if (count > entriesMost) throw new RangeError('it has too many entries')
  return count
}
