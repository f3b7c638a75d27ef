import { useState } from 'react'
import { Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components'
import { useTranslation } from 'react-i18next'
import { Button } from '../look/button.tsx'
import { Check, Copy } from '../look/icons.tsx'
import look from '../look/look.module.css'
import { type Copied, curlOf } from './curl.ts'

/** The choice between the two; it is open when it comes. */
export function CopyMenu<I, O>({ command, operation, input }: Copied<I, O>) {
  const { t } = useTranslation()
  const [copied, setCopied] = useState(false)
  const copy = async (text: string) => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
    setTimeout(() => setCopied(false), 2000)
  }
  return (
    <MenuTrigger defaultOpen>
      <Button kind="quiet" square aria-label={copied ? t('copied') : t('copy')}>
        {copied ? <Check /> : <Copy />}
      </Button>
      <Popover placement="bottom end">
        <Menu className={look.menu} onAction={(id) => void copy(id === 'cli' ? command : curlOf(operation, input))}>
          <MenuItem id="cli" className={look.item}>
            {t('copyCli')}
          </MenuItem>
          <MenuItem id="api" className={look.item}>
            {t('copyApi')}
          </MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  )
}
