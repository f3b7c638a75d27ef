import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../../look/button.tsx'
import { Check, Copy } from '../../look/icons.tsx'
import look from '../../look/look.module.css'
import css from './people.module.css'

/** Something that is shown this once. It lives in the page's memory only. */
export function Secret({ label, value }: { label: string; value: string }) {
  const { t } = useTranslation()
  const [copied, setCopied] = useState(false)
  const copy = () => {
    void navigator.clipboard.writeText(value).then(() => setCopied(true))
  }
  return (
    <div>
      <p className={look.label}>{label}</p>
      <p className={css.secret}>
        <code>{value}</code>
        <Button kind="quiet" square aria-label={copied ? t('copied') : `${t('copy')}: ${label}`} onPress={copy}>
          {copied ? <Check /> : <Copy />}
        </Button>
      </p>
    </div>
  )
}
