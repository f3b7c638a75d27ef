import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'
import type { en } from './en.ts'
import { takeProblems } from './problems.ts'

export type Language = 'en' | 'de'

declare module 'i18next' {
  interface CustomTypeOptions {
    resources: { translation: typeof en }
    returnNull: false
  }
}

const kept = 'pelago-language'

/** Nobody waits for words that he does not read. */
const bring = {
  async en() {
    const { en } = await import('./en.ts')
    i18next.addResourceBundle('en', 'translation', en)
  },
  async de() {
    const [{ de }, { problemsDe }] = await Promise.all([import('./de.ts'), import('./problems-de.ts')])
    i18next.addResourceBundle('de', 'translation', de)
    takeProblems('de', problemsDe)
  },
}

/** The language that somebody chose, or the browser's, or English. */
export async function beginTexts(): Promise<void> {
  const wished = localStorage.getItem(kept) ?? navigator.languages.find((one) => /^(de|en)\b/.test(one)) ?? 'en'
  const lng: Language = wished.startsWith('de') ? 'de' : 'en'
  await i18next.use(initReactI18next).init({
    lng,
    resources: {},
    // React escapes.
    interpolation: { escapeValue: false },
  })
  await chooseLanguage(lng, false)
}

export function language(): Language {
  return i18next.language === 'de' ? 'de' : 'en'
}

/** Brings the words of a language and shows the page in it. @param keep whether it is remembered as this person's choice */
export async function chooseLanguage(wished: Language, keep = true): Promise<void> {
  await bring[wished]()
  if (keep) localStorage.setItem(kept, wished)
  document.documentElement.lang = wished
  await i18next.changeLanguage(wished)
}
