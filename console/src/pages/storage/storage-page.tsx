import { useTranslation } from 'react-i18next'
import { useSearchParams } from 'react-router'
import { listBuckets } from '#api'
import { useEveryPage } from '../../api/use-api.ts'
import { Problem } from '../../frame/problem.tsx'
import { Button } from '../../look/button.tsx'
import { Empty } from '../../look/empty.tsx'
import { Barrel, Plus } from '../../look/icons.tsx'
import look from '../../look/look.module.css'
import { Table } from '../../look/table.tsx'
import { countryOf, momentOf } from '../../texts/amounts.ts'
import { CreateBucket } from './create-bucket.tsx'

/** The buckets, each with what its policy says in words. `?new=1` opens the question for a new one. */
export function StoragePage() {
  const { t } = useTranslation()
  const [query, setQuery] = useSearchParams()
  const buckets = useEveryPage(listBuckets, {}, ({ buckets }) => buckets)
  const create = (
    <Button kind="primary" onPress={() => setQuery({ new: '1' })}>
      <Plus /> {t('storage.create')}
    </Button>
  )
  return (
    <div className={look.page}>
      <div className={look.head}>
        <h1>{t('storage.title')}</h1>
        {create}
      </div>
      <p className={look.lead}>{t('storage.lead')}</p>
      {buckets.error && <Problem error={buckets.error} />}
      {buckets.data?.length === 0 && (
        <Empty icon={<Barrel size={40} />} title={t('storage.none')}>
          <p>{t('storage.noneLead')}</p>
        </Empty>
      )}
      {buckets.data && buckets.data.length > 0 && (
        <Table
          label={t('storage.title')}
          columns={[
            { says: t('storage.name') },
            { says: t('storage.where') },
            { says: t('storage.survives') },
            { says: t('storage.since') },
          ]}
        >
          {buckets.data.map(({ name, policy, createdAt }) => (
            <tr key={name}>
              <th scope="row" className={look.breaks}>
                {name}
              </th>
              <td>{[...policy.jurisdictions.map(countryOf), ...policy.attestations].join(', ')}</td>
              <td>{t('storage.survivesText', { count: policy.survive.providers })}</td>
              <td>{momentOf(createdAt)}</td>
            </tr>
          ))}
        </Table>
      )}
      <CreateBucket open={query.get('new') === '1'} onClose={() => setQuery({})} />
    </div>
  )
}
