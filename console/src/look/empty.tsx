import type { ReactNode } from 'react'
import look from './look.module.css'

/** A page that has nothing yet says what would be here and how to begin. */
export function Empty({ icon, title, children }: { icon: ReactNode; title?: string; children: ReactNode }) {
  return (
    <div className={look.empty}>
      {icon}
      {title !== undefined && <h2>{title}</h2>}
      {children}
    </div>
  )
}
