import { useTranslation } from 'react-i18next'
import { listJobs } from '#api'
import { useAnswer } from '../../api/use-api.ts'
import look from '../../look/look.module.css'
import { Check } from '../../look/icons.tsx'
import { agoOf } from '../../texts/amounts.ts'
import css from './start.module.css'
import { type Health, verdictOf } from './state.ts'

const weekMs = 7 * 86_400_000
/** Below that a provider that is silent is nothing that anybody must look at. */
const patienceMs = 60_000

/** What only a person can do. */
export function Needs({ health }: { health: Health }) {
  const { t } = useTranslation()
  const jobs = useAnswer(listJobs, { limit: 100 }, { everyMs: 30_000 })
  const { now, providers, directory } = health
  const needs: string[] = []
  if (health.kit.light !== 'green') needs.push(t(`start.needs.kit.${health.kit.light}`))
  if (verdictOf(health).of === 'unreadable') needs.push(t('start.needs.unreadable'))
  for (const { name, state, darkSince, full } of providers) {
    if (state === 'dark' && darkSince !== null && now - darkSince > patienceMs)
      needs.push(t('start.needs.dark', { name, since: agoOf(darkSince, now) }))
    if (full) needs.push(t('start.needs.full', { name }))
  }
  if (directory.expiresAt - now < weekMs)
    needs.push(t('start.needs.directory', { when: agoOf(directory.expiresAt, now) }))
  for (const { kind, state, because } of jobs.data?.jobs ?? [])
    if (state === 'failed') needs.push(t('start.needs.job', { kind, because }))
  return (
    <section className={look.card} aria-labelledby="needs">
      <h2 id="needs">{t('start.human')}</h2>
      {needs.length === 0 ? (
        <p className={css.nothing}>
          <Check /> {t('start.humanNone')}
        </p>
      ) : (
        <ul className={css.needs}>
          {needs.map((need) => (
            <li key={need}>{need}</li>
          ))}
        </ul>
      )}
    </section>
  )
}
