import { useState } from 'react'
import { Form } from 'react-aria-components'
import { useTranslation } from 'react-i18next'
import { createInvitation, createPerson, listPeople } from '#api'
import type { Role } from '#kernel'
import { useAct, useAnswer } from '../../api/use-api.ts'
import { CopyAs } from '../../frame/copy-as.tsx'
import { Problem } from '../../frame/problem.tsx'
import { Button } from '../../look/button.tsx'
import { Dialog } from '../../look/dialog.tsx'
import { Empty } from '../../look/empty.tsx'
import { Field } from '../../look/field.tsx'
import { Crew, Plus } from '../../look/icons.tsx'
import look from '../../look/look.module.css'
import { Table } from '../../look/table.tsx'
import { said } from '../../look/said.ts'
import { momentOf } from '../../texts/amounts.ts'
import { Roles } from './roles.tsx'
import { Secret } from './secret.tsx'

/** Who may sign in, and the codes that let people in for the first time. */
export function PeoplePage() {
  const { t } = useTranslation()
  const people = useAnswer(listPeople, {})
  const invite = useAct(createInvitation)
  const [adding, setAdding] = useState(false)
  return (
    <div className={look.page}>
      <div className={look.head}>
        <h1>{t('people.title')}</h1>
        <Button kind="primary" onPress={() => setAdding(true)}>
          <Plus /> {t('people.add')}
        </Button>
      </div>
      <p className={look.lead}>{t('people.lead')}</p>
      {(people.error ?? invite.error) && <Problem error={people.error ?? invite.error} />}
      {people.data?.people.length === 0 && (
        <Empty icon={<Crew size={40} />} title={t('people.none')}>
          <p>{t('people.noneLead')}</p>
        </Empty>
      )}
      {people.data && people.data.people.length > 0 && (
        <Table
          label={t('people.title')}
          columns={[
            { says: t('people.name') },
            { says: t('people.roles') },
            { says: t('people.state') },
            { says: t('people.invite'), unseen: true },
          ]}
        >
          {people.data.people.map(({ id, name, displayName, roles, state }) => (
            <tr key={id}>
              <th scope="row">
                {displayName || name}
                <p className={look.small}>{name}</p>
              </th>
              <td>{roles.map((role) => t(`people.role.${role}`)).join(', ') || '–'}</td>
              <td>
                <span className={`${look.tag} ${state === 'active' ? look.isGood : look.isBad}`}>
                  {t(`people.${state}`)}
                </span>
              </td>
              <td>
                <span className={look.row}>
                  <Button isDisabled={invite.isPending} onPress={() => invite.mutate({ person: name })}>
                    {t('people.invite')}
                  </Button>
                  <CopyAs
                    command={`pelago admin invite ${name}`}
                    operation={createInvitation}
                    input={{ person: name }}
                  />
                </span>
              </td>
            </tr>
          ))}
        </Table>
      )}
      <Dialog title={t('people.invite')} open={invite.data !== undefined} onClose={() => invite.reset()}>
        <p>
          {invite.data &&
            t('people.inviteLead', { name: invite.variables?.person, until: momentOf(invite.data.expiresAt) })}
        </p>
        <Secret label={t('signIn.codeLabel')} value={invite.data?.code ?? ''} />
      </Dialog>
      <AddPerson open={adding} onClose={() => setAdding(false)} />
    </div>
  )
}

function AddPerson({ open, onClose }: { open: boolean; onClose(): void }) {
  const { t } = useTranslation()
  const create = useAct(createPerson)
  const [roles, setRoles] = useState<readonly Role[]>([])
  const close = () => {
    create.reset()
    setRoles([])
    onClose()
  }
  return (
    <Dialog title={t('people.add')} open={open} onClose={close}>
      <Form
        className={look.page}
        onSubmit={(event) => {
          event.preventDefault()
          const form = new FormData(event.currentTarget)
          const input = { name: said(form, 'name'), displayName: said(form, 'displayName') }
          create.mutate({ ...input, roles: [...roles] }, { onSuccess: close })
        }}
      >
        {create.error && <Problem error={create.error} />}
        <Field name="name" label={t('signIn.name')} hint={t('signIn.nameHint')} isRequired autoFocus />
        <Field name="displayName" label={t('signIn.displayName')} isRequired />
        <Roles chosen={roles} onChange={setRoles} />
        <div className={look.actions}>
          <Button kind="quiet" onPress={close}>
            {t('cancel')}
          </Button>
          <Button kind="primary" type="submit" isDisabled={create.isPending}>
            {t('people.add')}
          </Button>
        </div>
      </Form>
    </Dialog>
  )
}
