import { isWithin, readAddress, readNetwork } from '#access'
import { hostError } from '../errors.ts'

/** Whoever stands before an edge and says for whom he asks. */
export type TrustedProxies = {
  /** Whether a connection is of one of them; then many come by one address. */
  includes(address: string): boolean
  /**
   * From where a request comes: of the hops that are named, the last that is none of the proxies. What is said by others than
   * proxies counts for nothing.
   * @param connection address of the other end of the connection
   * @param headers names in lower case; lines of one name joined by commas
   */
  askerOf(connection: string, headers: Readonly<Record<string, string | undefined>>): string
}

/** Which header they write; the other one is anybody's word, because a proxy hands on what it does not know. */
export type ForwardedHeader = 'X-Forwarded-For' | 'Forwarded'

/** Hops that are looked at; a chain of more is not believed further. */
const hopsMost = 16

export const noProxies: TrustedProxies = { includes: () => false, askerOf: (connection) => connection }

/**
 * @param networks addresses and networks of the proxies, such as `10.0.0.0/8` and `2001:db8::1`
 * @throws proxies.network
 * Source: RFC 7239, 4 to 6; X-Forwarded-For as proxies write it: addresses, each with or without a port, the nearest last.
 */
export function openTrustedProxies(
  networks: readonly string[],
  header: ForwardedHeader = 'X-Forwarded-For',
): TrustedProxies {
  if (networks.length === 0) return noProxies
  const trusted = networks.map((text) => {
    const network = readNetwork(text)
    if (!network) throw hostError('proxies.network', { network: text })
    return network
  })
  const includes = (text: string) => {
    const address = readAddress(text)
    return address !== undefined && trusted.some((network) => isWithin(address, network))
  }
  const name = header.toLowerCase()
  const hopsOf = header === 'Forwarded' ? forwardedHops : listedHops
  return {
    includes,
    askerOf(connection, headers) {
      const said = headers[name]
      if (said === undefined || !includes(connection)) return connection
      let asker = connection
      for (const hop of hopsOf(said).slice(-hopsMost).toReversed()) {
        const address = addressIn(hop)
        // A name that hides an address, or nonsense: all that is known is who told it.
        if (address === undefined) return asker
        asker = address
        if (!includes(address)) return asker
      }
      return asker
    },
  }
}

const listedHops = (said: string) => said.split(',').map((hop) => hop.trim())

/** One element per hop; of each what stands behind `for=`. A comma or semicolon in quotes separates nothing. */
function forwardedHops(said: string): string[] {
  return piecesOf(said, ',').map((element) => {
    for (const pair of piecesOf(element, ';')) {
      const [, value] = /^\s*for\s*=\s*(.*?)\s*$/i.exec(pair) ?? []
      if (value !== undefined) return /^"((?:[^"\\]|\\.)*)"$/.exec(value)?.[1]?.replaceAll(/\\(.)/g, '$1') ?? value
    }
    return ''
  })
}

function piecesOf(text: string, separator: ',' | ';'): string[] {
  const pieces: string[] = []
  let [from, quoted] = [0, false]
  for (let at = 0; at < text.length; at++) {
    if (quoted && text[at] === '\\') at++
    else if (text[at] === '"') quoted = !quoted
    else if (!quoted && text[at] === separator) {
      pieces.push(text.slice(from, at))
      from = at + 1
    }
  }
  return [...pieces, text.slice(from)]
}

/** The address of a hop, which may have a port behind it: `192.0.2.1:80`, `[2001:db8::1]:80`. @returns undefined for what is none */
function addressIn(hop: string): string | undefined {
  const bare = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(hop)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(hop)?.[1] ?? hop
  return readAddress(bare) === undefined ? undefined : bare
}
