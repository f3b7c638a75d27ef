import { useState } from 'react'
import { Form, Label, Radio, RadioGroup } from 'react-aria-components'
import { useTranslation } from 'react-i18next'
import { beginEnrolledPasskey, claimCode, finishEnrolledPasskey } from '#api'
import { client } from '../../api/client.ts'
import { Button } from '../../look/button.tsx'
import { Field } from '../../look/field.tsx'
import { Key } from '../../look/icons.tsx'
import look from '../../look/look.module.css'
import { said } from '../../look/said.ts'
import { Fault, useAttempt } from './attempt.tsx'
import { makePasskey } from './passkey.ts'
import css from './sign-in.module.css'

type Kind = 'admin' | 'invitation'
type Enrolment = { enrolment: string; owed: number }
type Props = { onSignedIn(): void; onBack(): void }

/** The first time: a code, then as many passkeys as are asked for. */
export function CodeForm({ onSignedIn, onBack }: Props) {
  const [enrolment, setEnrolment] = useState<Enrolment>()
  if (!enrolment) return <Code onEnrolled={setEnrolment} onBack={onBack} />
  return <Passkeys {...enrolment} onOwed={(owed) => setEnrolment({ ...enrolment, owed })} onSignedIn={onSignedIn} />
}

function Code({ onEnrolled, onBack }: { onEnrolled(enrolment: Enrolment): void; onBack(): void }) {
  const { t } = useTranslation()
  const [kind, setKind] = useState<Kind>('admin')
  const { busy, fault, attempt } = useAttempt()
  const claim = (form: FormData) => {
    const named = kind === 'admin' ? { name: said(form, 'name'), displayName: said(form, 'displayName') } : {}
    attempt(async () => onEnrolled(await client.ask(claimCode, { kind, code: said(form, 'code'), ...named })))
  }
  return (
    <Form
      className={look.page}
      onSubmit={(event) => {
        event.preventDefault()
        claim(new FormData(event.currentTarget))
      }}
    >
      <h1>{t('signIn.code')}</h1>
      <Fault fault={fault} />
      <RadioGroup value={kind} onChange={(value) => setKind(value === 'admin' ? 'admin' : 'invitation')}>
        <Label className={look.label}>{t('signIn.kind')}</Label>
        <Radio className={css.radio} value="admin">
          {t('signIn.kindAdmin')}
        </Radio>
        <Radio className={css.radio} value="invitation">
          {t('signIn.kindInvitation')}
        </Radio>
      </RadioGroup>
      <Field
        name="code"
        label={t('signIn.codeLabel')}
        hint={t('signIn.codeHint')}
        isRequired
        autoFocus
        autoComplete="off"
      />
      {kind === 'admin' && (
        <>
          <Field name="name" label={t('signIn.name')} hint={t('signIn.nameHint')} isRequired autoComplete="username" />
          <Field name="displayName" label={t('signIn.displayName')} isRequired autoComplete="name" />
        </>
      )}
      <div className={look.actions}>
        <Button kind="quiet" onPress={onBack}>
          {t('signIn.back')}
        </Button>
        <Button kind="primary" type="submit" isDisabled={busy}>
          {t('signIn.begin')}
        </Button>
      </div>
    </Form>
  )
}

function Passkeys({
  enrolment,
  owed,
  onOwed,
  onSignedIn,
}: Enrolment & { onOwed(owed: number): void; onSignedIn(): void }) {
  const { t } = useTranslation()
  const { busy, fault, attempt } = useAttempt()
  const register = (name: string) =>
    attempt(async () => {
      const { ceremony, options } = await client.ask(beginEnrolledPasskey, { enrolment })
      const answer = await makePasskey(options)
      const { owed: left, signedIn } = await client.ask(finishEnrolledPasskey, { enrolment, ceremony, name, answer })
      if (signedIn) onSignedIn()
      else onOwed(left)
    })
  return (
    <Form
      key={owed}
      className={look.page}
      onSubmit={(event) => {
        event.preventDefault()
        register(said(new FormData(event.currentTarget), 'name'))
      }}
    >
      <h1>{t('signIn.register')}</h1>
      <p className={look.lead}>{t('signIn.owed', { count: owed })}</p>
      <Fault fault={fault} />
      <Field name="name" label={t('signIn.passkeyName')} hint={t('signIn.passkeyNameHint')} isRequired autoFocus />
      <Button kind="primary" type="submit" isDisabled={busy}>
        <Key /> {t('signIn.register')}
      </Button>
    </Form>
  )
}
