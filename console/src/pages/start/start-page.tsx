import { useTranslation } from 'react-i18next'
import { explainPolicy, getConsole, getHealth, startDemoProvider, stopDemoProvider, watchHealth } from '#api'
import { useAct, useAnswer, useLive } from '../../api/use-api.ts'
import { Problem } from '../../frame/problem.tsx'
import look from '../../look/look.module.css'
import { Notice } from '../../look/notice.tsx'
import { Europe } from '../../map/europe.tsx'
import { sizeOf } from '../../texts/amounts.ts'
import { Needs } from './needs.tsx'
import { Providers } from './providers.tsx'
import css from './start.module.css'
import { type Health, isRefused, merged, type Refusals, verdictOf } from './state.ts'

/** Health in one sentence, where the bytes lie, and what needs a human: ideally nothing. */
export function StartPage() {
  const { t } = useTranslation()
  const asked = useAnswer(getHealth, {}, { everyMs: 30_000 })
  const { last, broken } = useLive(watchHealth, {})
  const about = useAnswer(getConsole, {})
  // The usual policy: what it refuses is shown grey, with the reason.
  const usual = useAnswer(explainPolicy, { policy: {} })
  const stop = useAct(stopDemoProvider, ['health'])
  const start = useAct(startDemoProvider, ['health'])
  if (asked.error) return <Problem error={asked.error} />
  if (!asked.data) return <p>{t('loading')}</p>
  const health = merged(asked.data, last)
  const refused: Refusals = new Map(usual.data?.providers.map(({ id, reasons }) => [id, reasons]))
  const demo = about.data?.demo === true && {
    busy: stop.isPending || start.isPending,
    stop: (provider: string) => stop.mutate({ provider }),
    start: (provider: string) => start.mutate({ provider }),
  }
  return (
    <div className={look.page}>
      <h1>{t('start.title')}</h1>
      {broken !== undefined && (
        <Notice kind="warn">
          <p>{t('offline')}</p>
        </Notice>
      )}
      <Verdict health={health} />
      {(stop.error ?? start.error) && <Problem error={stop.error ?? start.error} />}
      <div className={css.two}>
        <section className={look.card} aria-labelledby="map">
          <h2 id="map">{t('start.map')}</h2>
          <Europe marks={marksOf(health, refused)} label={t('start.mapLabel', { count: health.providers.length })} />
        </section>
        <div className={look.page}>
          <Needs health={health} />
          <Margins health={health} />
        </div>
      </div>
      <Providers health={health} refused={refused} demo={demo} />
    </div>
  )
}

function Verdict({ health }: { health: Health }) {
  const { t } = useTranslation()
  const verdict = verdictOf(health)
  const sentence = () => {
    if (verdict.of === 'empty') return t('start.empty')
    const { count } = verdict
    if (verdict.of === 'unreadable') return t('start.unreadable', { count })
    if (verdict.of === 'dark') return t('start.dark', { count })
    if (verdict.of === 'degraded')
      return t('start.degraded', { count, repairing: t(verdict.repairing ? 'start.repairing' : 'start.waiting') })
    const margin = verdict.margin === 0 ? t('start.margin_zero') : t('start.margin', { count: verdict.margin })
    return t('start.well', { count, margin })
  }
  return (
    <Notice kind={verdict.kind}>
      <p className={css.verdict}>{sentence()}</p>
    </Notice>
  )
}

function Margins({ health }: { health: Health }) {
  const { t } = useTranslation()
  if (health.margins.length === 0) return null
  const all = health.margins.reduce((sum, { segments }) => sum + segments, 0)
  return (
    <section className={look.card} aria-labelledby="margins">
      <h2 id="margins">{t('start.margins')}</h2>
      <p className={look.small}>{t('start.marginsLead')}</p>
      <ul className={css.margins}>
        {health.margins.map(({ margin, segments, bytes }) => (
          <li key={margin}>
            <span>{margin < 0 ? t('start.marginUnreadable') : t('start.marginRow', { count: margin })}</span>
            <meter className={margin <= 0 ? css.thin : ''} min={0} max={all} value={segments} aria-hidden="true" />
            <span className={look.small}>
              {t('start.segments', { count: segments })}, {sizeOf(bytes)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function marksOf({ providers }: Health, refused: Refusals) {
  const most = Math.max(1, ...providers.map(({ usedBytes }) => usedBytes ?? 0))
  return providers.map((provider) => {
    const { id, name, country, state, usedBytes } = provider
    return {
      id,
      name,
      country,
      state: isRefused(refused, id) ? ('idle' as const) : state === 'dark' ? ('bad' as const) : ('good' as const),
      says: usedBytes === null ? '' : sizeOf(usedBytes),
      weight: (usedBytes ?? 0) / most,
    }
  })
}
