import { language } from './texts.ts'

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const

/** Bytes as people of the language write them: decimal units, two or three digits. */
export function sizeOf(bytes: number): string {
  let [value, unit] = [bytes, 0]
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : 1
  const style = { style: 'unit', unit: units[unit] ?? 'byte', unitDisplay: unit === 0 ? 'long' : 'short' } as const
  return new Intl.NumberFormat(language(), { ...style, maximumFractionDigits: digits }).format(value)
}

export const countOf = (count: number) => new Intl.NumberFormat(language()).format(count)

/** A moment, to the minute. */
export const momentOf = (ms: number) =>
  new Intl.DateTimeFormat(language(), { dateStyle: 'medium', timeStyle: 'short' }).format(ms)

/** A moment as seen from now: "in 3 days", "vor 2 Minuten". */
export function agoOf(ms: number, now: number): string {
  const steps = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
    ['second', 1000],
  ] as const
  const distance = ms - now
  const [unit, length] = steps.find(([, length]) => Math.abs(distance) >= length) ?? ['second', 1000]
  return new Intl.RelativeTimeFormat(language(), { numeric: 'auto' }).format(Math.round(distance / length), unit)
}

/** The country's name in the language. @param code ISO 3166-1 alpha-2 */
export function countryOf(code: string): string {
  return /^[A-Z]{2}$/.test(code) ? (new Intl.DisplayNames(language(), { type: 'region' }).of(code) ?? code) : code
}
