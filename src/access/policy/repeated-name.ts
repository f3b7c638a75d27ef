/**
 * The first name that an object in a JSON text has twice. JSON's readers keep the last of them, so that half of what was
 * written would count for nothing, and nobody told.
 * @param text valid JSON
 */
export function repeatedName(text: string): string | undefined {
  /** Names seen so far in each open object; undefined for an open list. */
  const open: (Set<string> | undefined)[] = []
  let namesNext = false
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]
    if (sign === '"') {
      const end = endOfString(text, at)
      const names = open[open.length - 1]
      if (names && namesNext) {
        const name = JSON.parse(text.slice(at, end + 1)) as string
        if (names.has(name)) return name
        names.add(name)
        namesNext = false
      }
      at = end
    } else if (sign === '{') {
      open.push(new Set())
      namesNext = true
    } else if (sign === '[') open.push(undefined)
    else if (sign === '}' || sign === ']') open.pop()
    else if (sign === ',') namesNext = open[open.length - 1] !== undefined
  }
  return undefined
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at
  }
  return text.length
}
