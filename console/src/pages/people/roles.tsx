import { Checkbox, CheckboxGroup, Label } from 'react-aria-components'
import { useTranslation } from 'react-i18next'
import { type Role, roleNames } from '#kernel'
import look from '../../look/look.module.css'
import css from './people.module.css'

/** The roles that people have; machines have access keys instead. */
const given = roleNames.filter((role) => role !== 'machine')

/** What somebody may do, each role with a word about it. */
export function Roles({ chosen, onChange }: { chosen: readonly Role[]; onChange(roles: Role[]): void }) {
  const { t } = useTranslation()
  return (
    <CheckboxGroup
      value={[...chosen]}
      onChange={(names) => onChange(given.filter((role) => names.includes(role)))}
      className={look.field}
    >
      <Label className={look.label}>{t('people.roles')}</Label>
      {given.map((role) => (
        <Checkbox key={role} value={role} className={css.role}>
          <strong>{t(`people.role.${role}`)}</strong>
          <span className={look.small}>{t(`people.may.${role}`)}</span>
        </Checkbox>
      ))}
    </CheckboxGroup>
  )
}
