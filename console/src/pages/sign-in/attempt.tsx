import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Problem } from '../../frame/problem.tsx'
import { Notice } from '../../look/notice.tsx'

/** One attempt at a time; what ends it is kept until the next. */
export function useAttempt() {
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState<unknown>()
  const attempt = (act: () => Promise<void>) => {
    setBusy(true)
    setFault(undefined)
    act()
      .catch(setFault)
      .finally(() => setBusy(false))
  }
  return { busy, fault, attempt }
}

/** The browser says little about why a passkey was not used; the person knows. */
export function Fault({ fault }: { fault: unknown }) {
  const { t } = useTranslation()
  if (fault === undefined) return null
  if (!(fault instanceof DOMException)) return <Problem error={fault} />
  return (
    <Notice kind="warn">
      <p>{t('signIn.broken')}</p>
    </Notice>
  )
}
