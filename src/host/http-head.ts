/** What the head of a request says (RFC 9112). */
export type RequestHead = {
  method: string
  target: string
  /** By lower-case name; repeated ones are joined by a comma. */
  headers: ReadonlyMap<string, string>
  bodyLength: number
  /** Whether the connection stays for another request. */
  keep: boolean
  /** Whether the sender waits for a "continue" before it sends the body. */
  continues: boolean
}

const endOfHead = Buffer.from('\r\n\r\n')
const requestLine = /^([A-Z]{1,16}) ([!-~\x80-\xff]+) HTTP\/1\.([01])$/
const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*$/

/**
 * Reads the head at the beginning of `bytes`. Strict where leniency lets two readers of one request see two requests: no
 * folded lines, no bare line feeds, no space before a colon, one length, no transfer encodings.
 * @param most bytes of a head
 * @returns the head and how many bytes it took; a status to refuse it with; undefined while it is not whole
 */
export function parseRequestHead(
  bytes: Buffer,
  most: number,
): { head: RequestHead; length: number } | { refused: 400 | 431 | 501 | 505 } | undefined {
  const end = bytes.indexOf(endOfHead)
  if (end === -1) return bytes.length > most ? { refused: 431 } : undefined
  if (end > most) return { refused: 431 }
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const [, method, target, minor] = requestLine.exec(first) ?? []
  if (method === undefined || target === undefined) return { refused: / HTTP\/[2-9]\.\d$/.test(first) ? 505 : 400 }
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [, name, value] = field.exec(line) ?? []
    if (name === undefined || value === undefined) return { refused: 400 }
    const key = name.toLowerCase()
    const before = headers.get(key)
    headers.set(key, before === undefined ? value : `${before}, ${value}`)
  }
  if (headers.has('transfer-encoding')) return { refused: 501 }
  const stated = headers.get('content-length') ?? '0'
  if (!/^\d{1,15}$/.test(stated) || (minor === '1' && !headers.has('host'))) return { refused: 400 }
  const head: RequestHead = {
    method,
    target,
    headers,
    bodyLength: Number(stated),
    keep: minor === '1' && !/\bclose\b/i.test(headers.get('connection') ?? ''),
    continues: headers.get('expect')?.toLowerCase() === '100-continue',
  }
  return { head, length: end + endOfHead.length }
}
