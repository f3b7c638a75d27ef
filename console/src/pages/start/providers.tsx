import { useTranslation } from 'react-i18next'
import { startDemoProvider, stopDemoProvider } from '#api'
import { CopyAs } from '../../frame/copy-as.tsx'
import { Button } from '../../look/button.tsx'
import { Play, Stop } from '../../look/icons.tsx'
import look from '../../look/look.module.css'
import { countryOf, sizeOf } from '../../texts/amounts.ts'
import { refusalOf } from './refusal.ts'
import type { Health, Provider } from './state.ts'

type Demo = false | { busy: boolean; stop(provider: string): void; start(provider: string): void }

/** The map in words, and in the demo the switch of each provider. */
export function Providers({ health, demo }: { health: Health; demo: Demo }) {
  const { t } = useTranslation()
  const used = health.providers.some(({ usedBytes }) => usedBytes !== null)
  return (
    <div className={look.page}>
      <h2 id="providers">{t('start.providers')}</h2>
      {demo && <p className={look.lead}>{t('start.demoLead')}</p>}
      <div className={look.scroll} tabIndex={0} role="region" aria-labelledby="providers">
        <table className={look.table}>
          <thead>
            <tr>
              <th scope="col">{t('start.provider')}</th>
              <th scope="col">{t('start.country')}</th>
              <th scope="col">{t('start.owner')}</th>
              <th scope="col">{t('start.proofs')}</th>
              {used && (
                <th scope="col" className={look.number}>
                  {t('start.used')}
                </th>
              )}
              <th scope="col">{t('start.state')}</th>
              {demo && (
                <th scope="col">
                  <span className="unseen">{t('start.stop')}</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {health.providers.map((provider) => (
              <tr key={provider.id}>
                <th scope="row">{provider.name}</th>
                <td>{countryOf(provider.country)}</td>
                <td>
                  {t('start.ownedIn', { owner: provider.owner, country: countryOf(provider.ownerCountry) })}
                  <Refused provider={provider} />
                </td>
                <td>{provider.attestations.join(', ') || '–'}</td>
                {used && (
                  <td className={look.number}>{provider.usedBytes === null ? '–' : sizeOf(provider.usedBytes)}</td>
                )}
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
          </tbody>
        </table>
      </div>
    </div>
  )
}

function Refused({ provider }: { provider: Provider }) {
  const { t } = useTranslation()
  const refusal = refusalOf(provider)
  return refusal && <p className={look.small}>{t('start.refusedOwner', { country: countryOf(refusal.country) })}</p>
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
