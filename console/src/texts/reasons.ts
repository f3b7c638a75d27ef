import type { ExplainedReason } from '#api'
import { countryOf } from './amounts.ts'
import { language } from './texts.ts'

const sentences = {
  en: {
    jurisdiction: ({ country, allowed }: Parts) => `Its data lie in ${country}; the policy allows ${allowed}.`,
    owner: ({ owner, country }: Parts) =>
      `Its owner ${owner} is from ${country}, and the policy refuses owners from there.`,
    attestation: ({ missing }: Parts) => `It has no ${missing}.`,
  },
  de: {
    jurisdiction: ({ country, allowed }: Parts) => `Seine Daten liegen in ${country}; erlaubt ist ${allowed}.`,
    owner: ({ owner, country }: Parts) => `Sein Eigentümer ${owner} sitzt in ${country}; von dort ist keiner erlaubt.`,
    attestation: ({ missing }: Parts) => `Ihm fehlt ${missing}.`,
  },
}
type Parts = { country: string; allowed: string; owner: string; missing: string }

/** Why a policy refuses a provider, in the reader's language. */
export function reasonOf({ code, country, owner, values }: ExplainedReason): string {
  const names = values.map(countryOf).join(', ')
  return sentences[language()][code]({ country: countryOf(country), allowed: names, owner, missing: names })
}
