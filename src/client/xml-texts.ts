const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/**
 * What stands between `<name>` and `</name>`, for each such element that is not inside another of its name. Enough for
 * the flat answers of S3; the text of an element without children comes with its entities resolved.
 */
export function textsOf(xml: string, name: string): string[] {
  const found: string[] = []
  const open = `<${name}>`
  const close = `</${name}>`
  for (let at = xml.indexOf(open); at !== -1; at = xml.indexOf(open, at)) {
    const end = xml.indexOf(close, at)
    if (end === -1) break
    const inner = xml.slice(at + open.length, end)
    found.push(inner.includes('<') ? inner : resolved(inner))
    at = end + close.length
  }
  return found
}

function resolved(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex?: string, decimal?: string, word?: string) => {
    if (word !== undefined) return entities[word] ?? whole
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}
