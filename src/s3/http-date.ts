const dayMs = 86_400_000
const two = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'))
/** `Sun, 06 Nov 1994 `, by the day's number since 1970. */
const days = new Map<number, string>()
const keptDays = 1000

/**
 * A time as HTTP writes it (RFC 9110, section 5.6.7): what `toUTCString` gives, for a quarter of its cost.
 * @param at milliseconds since 1970 UTC
 */
export function httpDate(at: number): string {
  const day = Math.floor(at / dayMs)
  const second = Math.floor((at - day * dayMs) / 1000)
  const minute = Math.floor(second / 60)
  return `${dayText(day)}${two[Math.floor(minute / 60)]}:${two[minute % 60]}:${two[second % 60]} GMT`
}

function dayText(day: number): string {
  const known = days.get(day)
  if (known !== undefined) return known
  const text = new Date(day * dayMs).toUTCString().slice(0, -'00:00:00 GMT'.length)
  if (days.size >= keptDays) days.clear()
  days.set(day, text)
  return text
}
