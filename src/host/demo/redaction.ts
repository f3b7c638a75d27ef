import type { Json } from '#kernel'

/** Takes out of what leaves the house what must stay in it. */
export type Redaction = {
  text(text: string): string
  /** A line of a log: known facts stay, others say only what kind they are. */
  line(line: string): Json
  /** A configuration: names of files stay, what they hold was never in it; values that a name calls secret go. */
  configuration(value: Json): Json
}

const withheld = '(withheld)'
/** Facts of log lines that are words of ours, numbers drawn at random, or names of providers and processes. */
const harmlessFacts = new Set(
  (
    'time level event traceId trace cut role pid why code method reason provider name pause attempts attempt avoided action ' +
    'because loop failures version providers segment darkMs intent purged spans stack'
  ).split(' '),
)
const secretName = /secret|token|password|credential|authorization|cookie|private|passphrase/i
const fileName = /(File|Folder|folder)$/

/** @param secrets whatever they stand in, they are taken out */
export function openRedaction(secrets: readonly string[]): Redaction {
  const longestFirst = [...secrets].filter((secret) => secret !== '').sort((a, b) => b.length - a.length)
  const text = (given: string): string => {
    let safe = given
    for (const secret of longestFirst) safe = safe.replaceAll(secret, withheld)
    return (
      safe
        // Whoever signs in by URL has his password in it.
        .replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, `$1${withheld}@`)
        .replace(/s3:\/\/\S+/g, `s3://${withheld}`)
        .replace(/-----BEGIN [^-]*-----[\s\S]*?-----END [^-]*-----/g, withheld)
    )
  }
  const configuration = (value: Json, name = ''): Json => {
    if (typeof value === 'string') return secretName.test(name) && !fileName.test(name) ? withheld : text(value)
    if (Array.isArray(value)) return value.map((one) => configuration(one, name))
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, configuration(one, key)]))
  }
  return {
    text,
    configuration: (value) => configuration(value),
    line(line) {
      let facts: Json
      try {
        facts = JSON.parse(line) as Json
      } catch {
        // Half a line, as a process that was killed leaves it.
        return { unreadable: line.length }
      }
      if (facts === null || typeof facts !== 'object' || Array.isArray(facts)) return { unreadable: line.length }
      return Object.fromEntries(
        Object.entries(facts).map(([name, value]) => {
          if (typeof value !== 'string') return [name, typeof value === 'object' ? withheld : value]
          return [name, harmlessFacts.has(name) ? text(value) : withheld]
        }),
      )
    },
  }
}
