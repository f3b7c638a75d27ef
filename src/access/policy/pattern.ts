/** What a request says about itself under a key: nothing, one value, or several. Keys in lower case. */
export type Lookup = (key: string) => string | readonly string[] | undefined

const anyRun = Symbol('*')
const anySign = Symbol('?')
type Variable = { key: string; otherwise: string | undefined }
type Piece = string | typeof anyRun | typeof anySign | Variable
/** Text between two runs of anything. At `holes` any sign may stand. */
type Segment = { text: string; holes: readonly number[] }

/**
 * Text with `*` for any run of signs and `?` for any one (a UTF-16 unit), and with places for what the request says about itself.
 * What is put into such a place stands for itself: a star in somebody's name matches a star.
 */
export type Pattern = { pieces: readonly Piece[]; fixed: readonly Segment[] | undefined; exact: string | undefined }

/**
 * Reads a pattern.
 * @param wildcards whether `*` and `?` mean anything
 * @param variables whether `${…}` does
 * @param fault makes the error for a place that cannot be read
 */
export function readPattern(
  text: string,
  { wildcards, variables }: { wildcards: boolean; variables: boolean },
  fault: (reason: string) => Error,
): Pattern {
  const pieces: Piece[] = []
  let literal = ''
  const push = (piece: Piece) => {
    if (literal !== '') pieces.push(literal)
    literal = ''
    if (piece !== '') pieces.push(piece)
  }
  for (let at = 0; at < text.length; at++) {
    const sign = text[at] as string
    if (wildcards && sign === '*') push(anyRun)
    else if (wildcards && sign === '?') push(anySign)
    else if (variables && sign === '$' && text[at + 1] === '{') {
      const end = text.indexOf('}', at)
      if (end === -1) throw fault('a variable begins with ${ and ends with }')
      const found = readVariable(text.slice(at + 2, end), fault)
      if (typeof found === 'string') literal += found
      else push(found)
      at = end
    } else literal += sign
  }
  push('')
  const plain = pieces.every((piece) => typeof piece !== 'object')
  const exact = pieces.length === 0 ? '' : pieces.length === 1 && typeof pieces[0] === 'string' ? pieces[0] : undefined
  return { pieces, fixed: plain ? segmentsOf(pieces) : undefined, exact }
}

function readVariable(text: string, fault: (reason: string) => Error): Variable | string {
  if (text === '*' || text === '?' || text === '$') return text
  const match = /^\s*([A-Za-z0-9_.:/-]+)\s*(?:,\s*'([^']*)'\s*)?$/.exec(text)
  if (!match) throw fault(`\${${text}} is no variable`)
  return { key: (match[1] as string).toLowerCase(), otherwise: match[2] }
}

/** @returns undefined when the request says nothing that a variable of the pattern asks for */
export function matches({ exact, fixed, pieces }: Pattern, text: string, lookup: Lookup): boolean | undefined {
  if (exact !== undefined) return exact === text
  if (fixed) return matchSegments(fixed, text)
  const resolved: Piece[] = []
  for (const piece of pieces) {
    if (typeof piece !== 'object') resolved.push(piece)
    else {
      const value = lookup(piece.key) ?? piece.otherwise
      if (typeof value !== 'string') return undefined
      resolved.push(value)
    }
  }
  return matchSegments(segmentsOf(resolved), text)
}

/** Whether the pattern can match nothing but what begins with these words: what it says before the first place that is open. */
export function beginningOf({ pieces }: Pattern): string {
  return typeof pieces[0] === 'string' ? pieces[0] : ''
}

function segmentsOf(pieces: readonly Piece[]): Segment[] {
  const segments: Segment[] = []
  let text = ''
  let holes: number[] = []
  for (const piece of pieces) {
    if (typeof piece === 'string') text += piece
    else if (piece === anySign) {
      holes.push(text.length)
      text += '?'
    } else {
      segments.push({ text, holes })
      text = ''
      holes = []
    }
  }
  segments.push({ text, holes })
  return segments
}

/** The first segment stands at the start, the last at the end, each other one as early as it can: no other choice finds more. */
function matchSegments(segments: readonly Segment[], text: string): boolean {
  const first = segments[0] as Segment
  if (segments.length === 1) return first.text.length === text.length && standsAt(first, text, 0)
  const last = segments[segments.length - 1] as Segment
  const end = text.length - last.text.length
  let at = first.text.length
  if (at > end || !standsAt(first, text, 0) || !standsAt(last, text, end)) return false
  for (let index = 1; index < segments.length - 1; index++) {
    const segment = segments[index] as Segment
    const found = findFrom(segment, text, at, end - segment.text.length)
    if (found === -1) return false
    at = found + segment.text.length
  }
  return true
}

function standsAt({ text: wanted, holes }: Segment, text: string, at: number): boolean {
  if (holes.length === 0) return text.startsWith(wanted, at)
  let from = 0
  for (const hole of holes) {
    if (!text.startsWith(wanted.slice(from, hole), at + from)) return false
    from = hole + 1
  }
  return text.startsWith(wanted.slice(from), at + from)
}

function findFrom(segment: Segment, text: string, from: number, last: number): number {
  if (segment.holes.length === 0) {
    const found = text.indexOf(segment.text, from)
    return found > last ? -1 : found
  }
  for (let at = from; at <= last; at++) if (standsAt(segment, text, at)) return at
  return -1
}
