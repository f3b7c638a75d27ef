import { useTranslation } from 'react-i18next'
import { Button } from '../look/button.tsx'
import { Globe, Moon, Sun } from '../look/icons.tsx'
import { chooseLanguage, language } from '../texts/texts.ts'
import { chooseTheme, useTheme } from './theme.ts'

/** @param props.named whether its text stands beside the icon */
export function LanguageButton({ named = false }: { named?: boolean }) {
  const { t } = useTranslation()
  const other = language() === 'de' ? 'en' : 'de'
  const word = t('frame.language')
  return (
    <Button
      kind="quiet"
      square={!named}
      {...(!named && { 'aria-label': word })}
      onPress={() => void chooseLanguage(other)}
    >
      <Globe /> {named && <span lang={other}>{word}</span>}
    </Button>
  )
}

export function ThemeButton({ named = false }: { named?: boolean }) {
  const { t } = useTranslation()
  const other = useTheme() === 'dark' ? 'light' : 'dark'
  const word = t(`frame.${other}`)
  return (
    <Button kind="quiet" square={!named} {...(!named && { 'aria-label': word })} onPress={() => chooseTheme(other)}>
      {other === 'dark' ? <Moon /> : <Sun />} {named && word}
    </Button>
  )
}
