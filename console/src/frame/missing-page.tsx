import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { Empty } from '../look/empty.tsx'
import { Wheel } from '../look/icons.tsx'
import look from '../look/look.module.css'

export function MissingPage() {
  const { t } = useTranslation()
  return (
    <div className={look.page}>
      <h1>{t('missing.title')}</h1>
      <Empty icon={<Wheel size={40} />}>
        <p>{t('missing.lead')}</p>
        <Link to="/">{t('missing.home')}</Link>
      </Empty>
    </div>
  )
}
