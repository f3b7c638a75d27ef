import i18next from 'i18next'
import { PelagoError } from '#kernel'

type Sentences = Readonly<Record<string, string>>
/** Sentences of other languages than the server's own, by code. */
const taken = new Map<string, Sentences>()

/** Learns how a language says the errors. */
export function takeProblems(language: string, sentences: Sentences): void {
  taken.set(language, sentences)
}

/** What an error says to a person: the server's own sentence, or its twin in the reader's language with the same details. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (!(error instanceof PelagoError)) return error.message
  const twin = taken.get(i18next.language)?.[error.code]
  return twin === undefined ? error.message : filled(twin, error.details)
}

function filled(text: string, details: Readonly<Record<string, unknown>>): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = details[name]
    if (value === undefined) return place
    return typeof value === 'string' ? value : JSON.stringify(value)
  })
}
