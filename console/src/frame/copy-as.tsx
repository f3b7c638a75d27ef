import { lazy, Suspense, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../look/button.tsx'
import { Copy } from '../look/icons.tsx'
import type { Copied } from './curl.ts'

const CopyMenu = lazy(() => import('./copy-menu.tsx').then((file) => ({ default: file.CopyMenu })))

/** The same act for a script: as the command line has it, and as a request. Neither holds a secret. */
export function CopyAs<I, O>({ command, operation, input }: Copied<I, O>) {
  const { t } = useTranslation()
  // Menus come when somebody wants one: most people never do.
  const [wanted, setWanted] = useState(false)
  const button = (
    <Button kind="quiet" square aria-label={t('copy')} onPress={() => setWanted(true)}>
      <Copy />
    </Button>
  )
  if (!wanted) return button
  return (
    <Suspense fallback={button}>
      <CopyMenu command={command} operation={operation} input={input} />
    </Suspense>
  )
}
