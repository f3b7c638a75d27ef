/** Members of the European Union, ISO 3166-1 alpha-2. Source: europa.eu, list of EU countries, 2024. */
const eu = 'AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE'.split(' ')

/** Names that stand for several countries. */
export const groups: Record<string, readonly string[]> = { EU: eu, EEA: [...eu, 'IS', 'LI', 'NO'] }

const names = new Intl.DisplayNames(['en'], { type: 'region' })

/** "Germany (DE)". */
export function countryName(code: string): string {
  return `${names.of(code) ?? code} (${code})`
}

/** Whether a country is in a list of countries and groups. */
export function isIn(country: string, list: readonly string[]): boolean {
  return list.some((entry) => entry === country || groups[entry]?.includes(country))
}
