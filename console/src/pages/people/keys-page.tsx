import { useState } from 'react'
import { Form } from 'react-aria-components'
import { useTranslation } from 'react-i18next'
import { createKey, deleteKey, getConsole, getSession, listKeys } from '#api'
import { useAct, useAnswer } from '../../api/use-api.ts'
import { CopyAs } from '../../frame/copy-as.tsx'
import { quoted } from '../../frame/curl.ts'
import { Problem } from '../../frame/problem.tsx'
import { Button } from '../../look/button.tsx'
import { Dialog } from '../../look/dialog.tsx'
import { Empty } from '../../look/empty.tsx'
import { Field } from '../../look/field.tsx'
import { Key, Plus } from '../../look/icons.tsx'
import look from '../../look/look.module.css'
import { Table } from '../../look/table.tsx'
import { agoOf, momentOf } from '../../texts/amounts.ts'
import { Secret } from './secret.tsx'

/** What programs speak S3 with. A secret is shown when its key is made, and never again. */
export function KeysPage() {
  const { t } = useTranslation()
  const keys = useAnswer(listKeys, {})
  const [adding, setAdding] = useState(false)
  const [removing, setRemoving] = useState<string>()
  return (
    <div className={look.page}>
      <div className={look.head}>
        <h1>{t('keys.title')}</h1>
        <Button kind="primary" onPress={() => setAdding(true)}>
          <Plus /> {t('keys.add')}
        </Button>
      </div>
      <p className={look.lead}>{t('keys.lead')}</p>
      {keys.error && <Problem error={keys.error} />}
      {keys.data?.keys.length === 0 && (
        <Empty icon={<Key size={40} />} title={t('keys.none')}>
          <p>{t('keys.noneLead')}</p>
        </Empty>
      )}
      {keys.data && keys.data.keys.length > 0 && (
        <Table
          label={t('keys.title')}
          columns={[
            { says: t('keys.id') },
            { says: t('keys.holder') },
            { says: t('keys.state') },
            { says: t('keys.since') },
            { says: t('keys.used') },
            { says: t('keys.remove'), unseen: true },
          ]}
        >
          {keys.data.keys.map(({ id, person, note, state, createdAt, usedAt }) => (
            <tr key={id}>
              <th scope="row">
                <code>{id}</code>
                {note && <p className={look.small}>{note}</p>}
              </th>
              <td>{person}</td>
              <td>
                <span className={`${look.tag} ${state === 'active' ? look.isGood : look.isBad}`}>
                  {t(state === 'active' ? 'keys.active' : 'keys.inactive')}
                </span>
              </td>
              <td>{momentOf(createdAt)}</td>
              <td>{usedAt === null ? t('never') : agoOf(usedAt, Date.now())}</td>
              <td>
                <Button kind="danger" aria-label={t('keys.removeLabel', { id })} onPress={() => setRemoving(id)}>
                  {t('keys.remove')}
                </Button>
              </td>
            </tr>
          ))}
        </Table>
      )}
      <AddKey open={adding} onClose={() => setAdding(false)} />
      <RemoveKey id={removing} onClose={() => setRemoving(undefined)} />
    </div>
  )
}

function AddKey({ open, onClose }: { open: boolean; onClose(): void }) {
  const { t } = useTranslation()
  const session = useAnswer(getSession, {})
  const about = useAnswer(getConsole, {})
  const create = useAct(createKey)
  const [note, setNote] = useState('')
  const person = session.data?.actor ?? ''
  const input = { person, note }
  const close = () => {
    create.reset()
    setNote('')
    onClose()
  }
  if (create.data)
    return (
      <Dialog title={t('keys.secretTitle')} open={open} onClose={close}>
        <p>{t('keys.secretLead')}</p>
        <Secret label={t('keys.id')} value={create.data.key.id} />
        <Secret label={t('keys.secret')} value={create.data.secret} />
        {about.data && (
          <p className={look.small}>{t('keys.endpoint', { endpoint: about.data.s3, region: about.data.region })}</p>
        )}
        <div className={look.actions}>
          <Button kind="primary" onPress={close}>
            {t('close')}
          </Button>
        </div>
      </Dialog>
    )
  return (
    <Dialog title={t('keys.add')} open={open} onClose={close}>
      <Form
        className={look.page}
        onSubmit={(event) => {
          event.preventDefault()
          create.mutate(input)
        }}
      >
        {create.error && <Problem error={create.error} />}
        <Field
          label={t('keys.label')}
          hint={t('keys.labelHint')}
          value={note}
          onChange={setNote}
          isRequired
          autoFocus
        />
        <div className={look.actions}>
          <CopyAs
            command={`pelago key create ${quoted(person)} --note ${quoted(note)}`}
            operation={createKey}
            input={input}
          />
          <Button kind="quiet" onPress={close}>
            {t('cancel')}
          </Button>
          <Button kind="primary" type="submit" isDisabled={create.isPending || person === ''}>
            {t('keys.add')}
          </Button>
        </div>
      </Form>
    </Dialog>
  )
}

function RemoveKey({ id, onClose }: { id: string | undefined; onClose(): void }) {
  const { t } = useTranslation()
  const remove = useAct(deleteKey)
  const [typed, setTyped] = useState('')
  const close = () => {
    remove.reset()
    setTyped('')
    onClose()
  }
  if (id === undefined) return null
  return (
    <Dialog title={t('keys.remove')} open onClose={close}>
      <Form
        className={look.page}
        onSubmit={(event) => {
          event.preventDefault()
          remove.mutate({ key: id }, { onSuccess: close })
        }}
      >
        {remove.error && <Problem error={remove.error} />}
        <p>{t('keys.removeLead', { id })}</p>
        <Field label={t('keys.id')} value={typed} onChange={setTyped} autoComplete="off" autoFocus />
        <div className={look.actions}>
          <CopyAs command={`pelago key delete ${id}`} operation={deleteKey} input={{ key: id }} />
          <Button kind="quiet" onPress={close}>
            {t('cancel')}
          </Button>
          <Button kind="danger" type="submit" isDisabled={typed !== id || remove.isPending}>
            {t('keys.remove')}
          </Button>
        </div>
      </Form>
    </Dialog>
  )
}
