import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { getLog, listLog, listPeople, type Output } from '#api'
import { client } from '../../api/client.ts'
import { useAnswer } from '../../api/use-api.ts'
import { Problem } from '../../frame/problem.tsx'
import { Button } from '../../look/button.tsx'
import { Empty } from '../../look/empty.tsx'
import { Book } from '../../look/icons.tsx'
import look from '../../look/look.module.css'
import { Table } from '../../look/table.tsx'
import { countOf, momentOf } from '../../texts/amounts.ts'

type Entry = Output<typeof listLog>['entries'][number]
const pageSize = 100

/** Who changed what. Entries come from the newest page backwards, as people read. */
export function LogPage() {
  const { t } = useTranslation()
  const state = useAnswer(getLog, {})
  const size = state.data && sizeOf(state.data.head)
  return (
    <div className={look.page}>
      <h1>{t('log.title')}</h1>
      <p className={look.lead}>{t('log.lead')}</p>
      {state.error && <Problem error={state.error} />}
      {size === 0 && (
        <Empty icon={<Book size={40} />} title={t('log.none')}>
          <p>{t('log.noneLead')}</p>
        </Empty>
      )}
      {size !== undefined && size > 0 && (
        <>
          <p>{t('log.sealed', { size: countOf(size) })}</p>
          <p className={look.small}>{t('log.verify')}</p>
          <Entries size={size} />
        </>
      )}
    </div>
  )
}

function Entries({ size }: { size: number }) {
  const { t } = useTranslation()
  const newest = useAnswer(listLog, { after: Math.max(0, size - pageSize), limit: pageSize })
  const [older, setOlder] = useState<readonly Entry[]>([])
  const [fault, setFault] = useState<unknown>()
  const shown = [...older, ...(newest.data?.entries ?? [])].filter(({ entry }) => entry !== null)
  const first = older[0]?.sequence ?? newest.data?.entries[0]?.sequence ?? 1
  // The log has no names; who may read it may know whom its numbers mean.
  const people = useAnswer(listPeople, {})
  const names = new Map(people.data?.people.map(({ id, name, displayName }) => [id, displayName || name]))
  const more = async () => {
    const after = Math.max(0, first - 1 - pageSize)
    const page = await client.ask(listLog, { after, limit: first - 1 - after })
    setOlder([...page.entries, ...older])
  }
  return (
    <>
      {(newest.error ?? fault) !== undefined && (newest.error ?? fault) !== null && (
        <Problem error={newest.error ?? fault} />
      )}
      <Table
        label={t('log.title')}
        columns={[
          { says: t('log.sequence') },
          { says: t('log.time') },
          { says: t('log.topic') },
          { says: t('log.actor') },
          { says: t('log.facts') },
        ]}
      >
        {shown.toReversed().map(({ sequence, entry }) => (
          <tr key={sequence}>
            <td>{countOf(sequence)}</td>
            <td>{entry && momentOf(entry.at)}</td>
            <th scope="row">{entry?.topic}</th>
            <td className={look.breaks}>{entry && (names.get(entry.actor) ?? entry.actor)}</td>
            <td className={look.breaks}>
              <code>{factsText(entry?.facts)}</code>
            </td>
          </tr>
        ))}
      </Table>
      {first > 1 && (
        <div>
          <Button onPress={() => void more().catch(setFault)}>{t('log.older')}</Button>
        </div>
      )}
    </>
  )
}

function factsText(facts: unknown): string {
  if (typeof facts !== 'object' || facts === null) return ''
  return Object.entries(facts)
    .map(([name, value]) => `${name} ${factText(name, value)}`)
    .join(', ')
}

function factText(name: string, value: unknown): string {
  if (typeof value === 'number' && name.endsWith('At')) return momentOf(value)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** How many entries a signed head speaks of: its second line (C2SP tlog-checkpoint). */
function sizeOf(head: string): number {
  const size = Number(head.split('\n')[1])
  return Number.isSafeInteger(size) ? size : 0
}
