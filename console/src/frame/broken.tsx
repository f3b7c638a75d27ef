import { useTranslation } from 'react-i18next'
import { useRouteError } from 'react-router'
import { Button } from '../look/button.tsx'
import look from '../look/look.module.css'
import { Problem } from './problem.tsx'

/** The last resort: a page that fell over says so and offers to begin anew. */
export function Broken() {
  const { t } = useTranslation()
  return (
    <main className={look.page}>
      <Problem error={useRouteError()} />
      <div>
        <Button kind="primary" onPress={() => location.reload()}>
          {t('tryAgain')}
        </Button>
      </div>
    </main>
  )
}
