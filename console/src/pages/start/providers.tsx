import { useTranslation } from 'react-i18next'
import { type ExplainedReason, startDemoProvider, stopDemoProvider } from '#api'
import { CopyAs } from '../../frame/copy-as.tsx'
import { Button } from '../../look/button.tsx'
import { Play, Stop } from '../../look/icons.tsx'
import look from '../../look/look.module.css'
import { Table } from '../../look/table.tsx'
import { countryOf, sizeOf } from '../../texts/amounts.ts'
import { reasonOf } from '../../texts/reasons.ts'
import type { Health, Provider, Refusals } from './state.ts'

type Demo = false | { busy: boolean; stop(provider: string): void; start(provider: string): void }

/** The map in words, and in the demo the switch of each provider. */
export function Providers({ health, refused, demo }: { health: Health; refused: Refusals; demo: Demo }) {
  const { t } = useTranslation()
  const used = health.providers.some(({ usedBytes }) => usedBytes !== null)
  return (
    <div className={look.page}>
      <h2 id="providers">{t('start.providers')}</h2>
      {demo && <p className={look.lead}>{t('start.demoLead')}</p>}
      <Table
        labelledBy="providers"
        columns={[
          { says: t('start.provider') },
          { says: t('start.country') },
          { says: t('start.owner') },
          { says: t('start.proofs') },
          ...(used ? [{ says: t('start.used'), number: true }] : []),
          { says: t('start.state') },
          ...(demo ? [{ says: t('start.stop'), unseen: true }] : []),
        ]}
      >
        {health.providers.map((provider) => (
          <tr key={provider.id}>
            <th scope="row">{provider.name}</th>
            <td>{countryOf(provider.country)}</td>
            <td>
              {t('start.ownedIn', { owner: provider.owner, country: countryOf(provider.ownerCountry) })}
              <Refused reasons={refused.get(provider.id) ?? []} />
            </td>
            <td>{provider.attestations.join(', ') || '–'}</td>
            {used && <td className={look.number}>{provider.usedBytes === null ? '–' : sizeOf(provider.usedBytes)}</td>}
            <td>
              <State provider={provider} />
            </td>
            {demo && (
              <td>
                <Switch provider={provider} demo={demo} />
              </td>
            )}
          </tr>
        ))}
      </Table>
    </div>
  )
}

function Refused({ reasons }: { reasons: readonly ExplainedReason[] }) {
  const { t } = useTranslation()
  return reasons.map((reason) => (
    <p key={reason.code} className={look.small}>
      {t('start.refused', { reason: reasonOf(reason) })}
    </p>
  ))
}

function State({ provider }: { provider: Provider }) {
  const { t } = useTranslation()
  if (provider.state === 'dark') return <span className={`${look.tag} ${look.isBad}`}>{t('start.silent')}</span>
  if (provider.full) return <span className={`${look.tag} ${look.isWarn}`}>{t('start.full')}</span>
  return <span className={`${look.tag} ${look.isGood}`}>{t('start.alive')}</span>
}

function Switch({ provider: { id, name, state }, demo }: { provider: Provider; demo: Exclude<Demo, false> }) {
  const { t } = useTranslation()
  const stopped = state === 'dark'
  return (
    <span className={look.row}>
      {stopped ? (
        <Button aria-label={t('start.startLabel', { name })} isDisabled={demo.busy} onPress={() => demo.start(id)}>
          <Play size={18} /> {t('start.start')}
        </Button>
      ) : (
        <Button aria-label={t('start.stopLabel', { name })} isDisabled={demo.busy} onPress={() => demo.stop(id)}>
          <Stop size={18} /> {t('start.stop')}
        </Button>
      )}
      <CopyAs
        command={`pelago provider ${stopped ? 'start' : 'stop'} ${id}`}
        operation={stopped ? startDemoProvider : stopDemoProvider}
        input={{ provider: id }}
      />
    </span>
  )
}
