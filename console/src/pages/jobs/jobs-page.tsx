import { useTranslation } from 'react-i18next'
import { type ApiJob, cancelJob, listJobs, retryJob, watchJobs } from '#api'
import { useAct, useAnswer, useLive } from '../../api/use-api.ts'
import { CopyAs } from '../../frame/copy-as.tsx'
import { Problem } from '../../frame/problem.tsx'
import { Button } from '../../look/button.tsx'
import { Empty } from '../../look/empty.tsx'
import { Wheel } from '../../look/icons.tsx'
import look from '../../look/look.module.css'
import { Table } from '../../look/table.tsx'
import { agoOf, countOf } from '../../texts/amounts.ts'

/** What goes on without anybody, live. */
export function JobsPage() {
  const { t } = useTranslation()
  const asked = useAnswer(listJobs, { limit: 100 })
  const { last } = useLive(watchJobs, {})
  const retry = useAct(retryJob)
  const stop = useAct(cancelJob)
  const jobs = last?.jobs ?? asked.data?.jobs
  const now = last?.now ?? Date.now()
  const fault = asked.error ?? retry.error ?? stop.error
  return (
    <div className={look.page}>
      <h1>{t('jobs.title')}</h1>
      <p className={look.lead}>{t('jobs.lead')}</p>
      {fault && <Problem error={fault} />}
      {jobs?.length === 0 && (
        <Empty icon={<Wheel size={40} />} title={t('jobs.none')}>
          <p>{t('jobs.noneLead')}</p>
        </Empty>
      )}
      {jobs && jobs.length > 0 && (
        <Table
          label={t('jobs.title')}
          columns={[
            { says: t('jobs.kind') },
            { says: t('jobs.about') },
            { says: t('jobs.state') },
            { says: t('jobs.progress') },
            { says: t('jobs.ran') },
            { says: t('jobs.retry'), unseen: true },
          ]}
        >
          {jobs.map((job) => (
            <tr key={job.id}>
              <th scope="row">{job.kind}</th>
              <td className={look.breaks}>{job.about || '–'}</td>
              <td>
                <State job={job} />
              </td>
              <td>
                {job.total === null ? countOf(job.done) : `${countOf(job.done)} / ${countOf(job.total)}`}
                <p className={look.small}>{job.because || job.says}</p>
                {job.mend && <p className={look.small}>{job.mend}</p>}
              </td>
              <td>{job.ranAt === null ? t('never') : agoOf(job.ranAt, now)}</td>
              <td>
                <Acts
                  job={job}
                  onRetry={() => retry.mutate({ job: job.id })}
                  onStop={() => stop.mutate({ job: job.id })}
                />
              </td>
            </tr>
          ))}
        </Table>
      )}
    </div>
  )
}

function State({ job: { state } }: { job: ApiJob }) {
  const { t } = useTranslation()
  const colour = state === 'failed' ? look.isBad : state === 'done' || state === 'running' ? look.isGood : ''
  return <span className={`${look.tag} ${colour}`}>{t(`jobs.states.${state}`)}</span>
}

function Acts({ job, onRetry, onStop }: { job: ApiJob; onRetry(): void; onStop(): void }) {
  const { t } = useTranslation()
  if (job.state === 'failed' || job.state === 'cancelled')
    return (
      <span className={look.row}>
        <Button onPress={onRetry}>{t('jobs.retry')}</Button>
        <CopyAs command={`pelago job retry ${job.id}`} operation={retryJob} input={{ job: job.id }} />
      </span>
    )
  if (job.lasting || job.state === 'done') return null
  return (
    <span className={look.row}>
      <Button kind="danger" onPress={onStop}>
        {t('jobs.stop')}
      </Button>
      <CopyAs command={`pelago job cancel ${job.id}`} operation={cancelJob} input={{ job: job.id }} />
    </span>
  )
}
