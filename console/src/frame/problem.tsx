import { useTranslation } from 'react-i18next'
import { PelagoError } from '#kernel'
import { Notice } from '../look/notice.tsx'
import { sentenceOf } from '../texts/problems.ts'

/** Why something did not work, and what to do, in the reader's language. */
export function Problem({ error }: { error: unknown }) {
  const { t } = useTranslation()
  const trace =
    error instanceof PelagoError && typeof error.details.trace === 'string' ? error.details.trace : undefined
  return (
    <Notice kind="bad">
      <p>
        <strong>{t('problem.title')}</strong>
      </p>
      <p>{sentenceOf(error)}</p>
      {trace !== undefined && <p>{t('problem.trace', { trace })}</p>}
    </Notice>
  )
}
