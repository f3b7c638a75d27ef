import { XMLParser } from 'fast-xml-parser'
import { s3Error } from './errors.ts'

/** A tree to be written: a text, a number, or elements; a list repeats its element. Attributes stand behind an element's name. */
export type Xml = string | number | boolean | undefined | { [name: string]: Xml | Xml[] }

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/'

/** Writes a document with one root in S3's namespace. What is undefined is left out. */
export function writeXml(root: string, content: Xml): Uint8Array {
  const body = `<${root} xmlns="${namespace}">${innerXml(content)}</${root}>`
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${body}`)
}

/** Errors have no namespace. */
export function writeErrorXml(content: Xml): Uint8Array {
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n<Error>${innerXml(content)}</Error>`)
}

/** The elements without a root around them. */
export function innerXml(content: Xml): string {
  if (content === undefined) return ''
  if (typeof content !== 'object') return escaped(String(content))
  return Object.entries(content)
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one) => [name, one] as const))
    .map(([name, value]) => (value === undefined ? '' : `<${name}>${innerXml(value)}</${name.split(' ', 1)[0]}>`))
    .join('')
}

/** Control characters are not allowed in XML 1.0 even as references; clients that have such keys ask for URL encoding. */
function escaped(text: string): string {
  return text.replace(/[<>&"\p{Cc}]/gu, (sign) => {
    if (sign === '<') return '&lt;'
    if (sign === '>') return '&gt;'
    if (sign === '&') return '&amp;'
    if (sign === '"') return '&quot;'
    return `&#x${(sign.codePointAt(0) as number).toString(16)};`
  })
}

/** Entities beyond the five of XML are not read: nothing outside of the document can be named, nothing grows. */
const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  parseTagValue: false,
  // A key may begin or end with blanks.
  trimValues: false,
  removeNSPrefix: true,
  processEntities: true,
  // Characters by number, which Go's clients write for quotes.
  htmlEntities: true,
  alwaysCreateTextNode: false,
  isArray: (name) => name === 'Part' || name === 'Object',
})

export type Element = Record<string, unknown>

/** Reads a document whose root is `root`. @throws s3.xml */
export function readXml(text: string, root: string): Element {
  if (text.includes('<!DOCTYPE') || text.includes('<!ENTITY'))
    throw s3Error('s3.xml', { reason: 'it has a document type' })
  let tree: Element
  try {
    tree = parser.parse(text, true) as Element
  } catch (error) {
    throw s3Error('s3.xml', { reason: error instanceof Error ? error.message : String(error) }, error)
  }
  const found = tree[root]
  if (typeof found === 'string' && found.trim() === '') return {}
  if (typeof found !== 'object' || found === null) throw s3Error('s3.xml', { reason: `${root} is missing` })
  return found as Element
}

/** Longer documents are read a piece at a time: ten thousand elements take a tenth of a second. */
const pieceChars = 16 * 1024

/**
 * Reads a document that is a list: the children `item` of its root, a piece at a time, so that others have their turn in
 * between. A comment or section with an end of such an element in it is refused like other broken XML.
 * @param pause called between two pieces. @throws s3.xml
 */
export async function readXmlList(
  text: string,
  root: string,
  item: string,
  pause: () => Promise<void>,
): Promise<Element[]> {
  const written = new RegExp(`<((?:[\\w.-]+:)?${root})[\\s>]`).exec(text)?.[1] ?? root
  const end = new RegExp(`</(?:[\\w.-]+:)?${item}\\s*>`, 'g')
  const found: Element[] = []
  for (let from = 0; ; ) {
    end.lastIndex = from + pieceChars
    const match = end.exec(text)
    const to = match ? end.lastIndex : text.length
    const piece = text.slice(from, to)
    const opened = from === 0 ? piece : `<${written}>${piece}`
    found.push(...elementsOf(readXml(match ? `${opened}</${written}>` : opened, root), item))
    if (!match) return found
    from = to
    await pause()
  }
}

/** The texts of an element's children of one name. */
export function elementsOf(element: Element, name: string): Element[] {
  const found = element[name] ?? []
  return (Array.isArray(found) ? found : [found]).filter((one) => typeof one === 'object' && one !== null) as Element[]
}

export function textOf(element: Element, name: string): string | undefined {
  const found = element[name]
  return typeof found === 'string' ? found : undefined
}
