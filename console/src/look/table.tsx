import type { ReactNode } from 'react'
import look from './look.module.css'

/** What stands over a column; `unseen`: only for whoever hears the page. */
export type Column = { says: string; unseen?: boolean; number?: boolean }

type Props = { columns: readonly Column[]; children: ReactNode } & ({ label: string } | { labelledBy: string })

/** A plain table that scrolls sideways where it is wider than the screen, also by the keyboard. `children` are its rows. */
export function Table({ columns, children, ...named }: Props) {
  const name = 'label' in named ? { 'aria-label': named.label } : { 'aria-labelledby': named.labelledBy }
  return (
    <div className={look.scroll} tabIndex={0} role="region" {...name}>
      <table className={look.table}>
        <thead>
          <tr>
            {columns.map(({ says, unseen = false, number = false }) => (
              <th key={says} scope="col" className={number ? look.number : undefined}>
                {unseen ? <span className="unseen">{says}</span> : says}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}
