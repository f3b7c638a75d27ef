import {
  Autocomplete,
  Dialog,
  Input,
  Menu,
  MenuItem,
  Modal,
  ModalOverlay,
  SearchField,
  useFilter,
} from 'react-aria-components'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { Globe, Leave, Moon, Plus, Sun } from '../look/icons.tsx'
import look from '../look/look.module.css'
import { chooseLanguage, language } from '../texts/texts.ts'
import type { places as all } from './places.ts'
import { chooseTheme, useTheme } from './theme.ts'

type Props = { open: boolean; onClose(): void; places: readonly (typeof all)[number][]; onSignOut(): void }

/** Every place and act by its name, for whoever would rather type. */
export function Palette({ open, onClose, places, onSignOut }: Props) {
  const { t } = useTranslation()
  const go = useNavigate()
  const { contains } = useFilter({ sensitivity: 'base' })
  const theme = useTheme() === 'dark' ? 'light' : 'dark'
  const acts = [
    ...places.map(({ path, name, Icon }) => ({ id: path, word: t(`menu.${name}`), Icon, act: () => void go(path) })),
    { id: 'create', word: t('storage.create'), Icon: Plus, act: () => void go('/storage?new=1') },
    { id: 'theme', word: t(`frame.${theme}`), Icon: theme === 'dark' ? Moon : Sun, act: () => chooseTheme(theme) },
    {
      id: 'language',
      word: t('frame.language'),
      Icon: Globe,
      act: () => void chooseLanguage(language() === 'de' ? 'en' : 'de'),
    },
    { id: 'out', word: t('frame.signOut'), Icon: Leave, act: onSignOut },
  ]
  const chosen = (id: string | number) => {
    onClose()
    acts.find((act) => act.id === id)?.act()
  }
  return (
    <ModalOverlay className={look.veil} isOpen={open} isDismissable onOpenChange={(is) => !is && onClose()}>
      <Modal className={look.modal}>
        <Dialog className={look.dialog} aria-label={t('frame.palette')}>
          <Autocomplete filter={contains}>
            <SearchField autoFocus aria-label={t('frame.paletteHint')}>
              <Input className={look.input} placeholder={t('frame.paletteHint')} />
            </SearchField>
            <Menu
              aria-label={t('frame.palette')}
              items={acts}
              onAction={chosen}
              renderEmptyState={() => <p className={look.hint}>{t('frame.paletteNone')}</p>}
            >
              {({ id, word, Icon }) => (
                <MenuItem id={id} textValue={word} className={look.item}>
                  <Icon /> {word}
                </MenuItem>
              )}
            </Menu>
          </Autocomplete>
        </Dialog>
      </Modal>
    </ModalOverlay>
  )
}
