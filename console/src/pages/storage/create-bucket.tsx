import { useState } from 'react'
import { Form, Label, Radio, RadioGroup } from 'react-aria-components'
import { useTranslation } from 'react-i18next'
import { createBucket, explainPolicy } from '#api'
import { useAct, useAnswer } from '../../api/use-api.ts'
import { CopyAs } from '../../frame/copy-as.tsx'
import { Problem } from '../../frame/problem.tsx'
import { Button } from '../../look/button.tsx'
import { Dialog } from '../../look/dialog.tsx'
import { Field } from '../../look/field.tsx'
import { Check, Stop } from '../../look/icons.tsx'
import look from '../../look/look.module.css'
import { Notice } from '../../look/notice.tsx'
import { countOf } from '../../texts/amounts.ts'
import { reasonOf } from '../../texts/reasons.ts'
import { type PresetName, presets } from './presets.ts'
import css from './storage.module.css'

/** A new bucket: a name, a policy in words, and at once who may hold it and who not. */
export function CreateBucket({ open, onClose }: { open: boolean; onClose(): void }) {
  const { t } = useTranslation()
  const [name, setName] = useState('')
  const [preset, setPreset] = useState<PresetName>('standard')
  const create = useAct(createBucket, ['health'])
  const policy = presets.find((one) => one.name === preset)?.policy ?? {}
  const input = { name, policy }
  const close = () => {
    create.reset()
    setName('')
    onClose()
  }
  return (
    <Dialog title={t('storage.createTitle')} open={open} onClose={close}>
      <Form
        className={look.page}
        onSubmit={(event) => {
          event.preventDefault()
          create.mutate(input, { onSuccess: close })
        }}
      >
        {create.error && <Problem error={create.error} />}
        <Field
          label={t('storage.name')}
          hint={t('storage.nameHint')}
          value={name}
          onChange={setName}
          isRequired
          autoFocus
        />
        <RadioGroup
          value={preset}
          onChange={(value) => setPreset(presets.find((one) => one.name === value)?.name ?? 'standard')}
        >
          <Label className={look.label}>{t('storage.preset')}</Label>
          {presets.map(({ name: one }) => (
            <Radio key={one} value={one} className={css.preset}>
              <strong>{t(`storage.presets.${one}`)}</strong>
              <span className={look.small}>{t(`storage.presets.${one}Lead`)}</span>
            </Radio>
          ))}
        </RadioGroup>
        <Judgement policy={policy} open={open} />
        <div className={look.actions}>
          <CopyAs command={commandOf(name, policy)} operation={createBucket} input={input} />
          <Button kind="quiet" onPress={close}>
            {t('cancel')}
          </Button>
          <Button kind="primary" type="submit" isDisabled={create.isPending}>
            {t('storage.make')}
          </Button>
        </div>
      </Form>
    </Dialog>
  )
}

function Judgement({ policy, open }: { policy: object; open: boolean }) {
  const { t } = useTranslation()
  const judged = useAnswer(explainPolicy, { policy: { ...policy } }, { when: open })
  if (judged.error) return <Problem error={judged.error} />
  if (!judged.data) return <p className={look.small}>{t('loading')}</p>
  const { providers, code } = judged.data
  const allowed = providers.filter(({ reasons }) => reasons.length === 0)
  return (
    <section aria-live="polite" className={css.judgement}>
      <p>
        <strong>{t('storage.qualify', { count: allowed.length, all: providers.length })}</strong>
      </p>
      {code ? (
        <p className={look.small}>
          {t('storage.code', {
            data: code.data,
            parity: code.parity,
            total: code.data + code.parity,
            factor: countOf(Math.round((10 * (code.data + code.parity)) / code.data) / 10),
          })}
        </p>
      ) : (
        <Notice kind="bad">
          <p>{t('storage.cannot')}</p>
        </Notice>
      )}
      <ul className={css.who}>
        {providers.map(({ id, name, reasons }) => (
          <li key={id} className={reasons.length === 0 ? css.may : css.mayNot}>
            {reasons.length === 0 ? <Check size={18} /> : <Stop size={18} />}
            <span>
              {name}
              {reasons.map((reason) => (
                <span key={reason.code} className={look.small}>
                  {' '}
                  {reasonOf(reason)}
                </span>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function commandOf(name: string, policy: object): string {
  const words = `pelago bucket create ${name || 'NAME'}`
  return Object.keys(policy).length === 0 ? words : `${words} --policy <(echo '${JSON.stringify(policy)}')`
}
