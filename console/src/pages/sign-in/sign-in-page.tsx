import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { beginPasskeySignIn, finishPasskeySignIn } from '#api'
import { client } from '../../api/client.ts'
import { LanguageButton, ThemeButton } from '../../frame/switches.tsx'
import { Button } from '../../look/button.tsx'
import { Key } from '../../look/icons.tsx'
import look from '../../look/look.module.css'
import { Notice } from '../../look/notice.tsx'
import { Fault, useAttempt } from './attempt.tsx'
import { CodeForm } from './code-form.tsx'
import { answerWithPasskey, knowsPasskeys } from './passkey.ts'
import css from './sign-in.module.css'

/** The only page for whoever is nobody yet: by passkey, or with a code for the first time. */
export function SignInPage({ onSignedIn }: { onSignedIn(): void }) {
  const { t } = useTranslation()
  const [withCode, setWithCode] = useState(false)
  return (
    <main className={css.place}>
      <div className={css.card}>
        <div className={css.brand}>
          <img src="/icon.svg" alt="" width="44" height="44" />
          <span>
            <LanguageButton />
            <ThemeButton />
          </span>
        </div>
        {withCode ? (
          <CodeForm onSignedIn={onSignedIn} onBack={() => setWithCode(false)} />
        ) : (
          <SignIn onSignedIn={onSignedIn} onCode={() => setWithCode(true)} />
        )}
        <p className={look.small}>{t('name')}</p>
      </div>
    </main>
  )
}

function SignIn({ onSignedIn, onCode }: { onSignedIn(): void; onCode(): void }) {
  const { t } = useTranslation()
  const { busy, fault, attempt } = useAttempt()
  const byPasskey = () =>
    attempt(async () => {
      const { ceremony, options } = await client.ask(beginPasskeySignIn, {})
      await client.ask(finishPasskeySignIn, { ceremony, answer: await answerWithPasskey(options) })
      onSignedIn()
    })
  return (
    <>
      <h1>{t('signIn.title')}</h1>
      <p className={look.lead}>{t('signIn.lead')}</p>
      <Fault fault={fault} />
      {knowsPasskeys() ? (
        <Button kind="primary" isDisabled={busy} onPress={byPasskey}>
          <Key /> {t('signIn.passkey')}
        </Button>
      ) : (
        <Notice kind="warn">
          <p>{t('signIn.unsupported')}</p>
        </Notice>
      )}
      <div className={css.first}>
        <p>
          <strong>{t('signIn.firstTime')}</strong> {t('signIn.codeLead')}
        </p>
        <Button kind="quiet" onPress={onCode}>
          {t('signIn.code')}
        </Button>
      </div>
    </>
  )
}
