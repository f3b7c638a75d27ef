import type { ReactNode } from 'react'
import { Alert, Check } from './icons.tsx'
import look from './look.module.css'

const kinds = { good: look.isGood, warn: look.isWarn, bad: look.isBad, plain: '' }

/** Something that a person should read; what is bad is announced at once. */
export function Notice({ kind, children }: { kind: keyof typeof kinds; children: ReactNode }) {
  return (
    <div className={`${look.notice} ${kinds[kind]}`} role={kind === 'bad' ? 'alert' : 'status'}>
      {kind === 'good' ? <Check /> : <Alert />}
      <div>{children}</div>
    </div>
  )
}
