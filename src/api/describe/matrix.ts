import { type ApiRole, apiRoles, mayAsk } from '../operation.ts'
import type { Contract } from './contract.ts'

/** Which role may ask what: one row per operation. `anyone` is whoever is not known. */
export function matrixOf({
  operations,
}: Pick<Contract, 'operations'>): { id: string; may: Record<ApiRole, boolean> }[] {
  return operations.map((operation) => ({
    id: operation.id,
    may: Object.fromEntries(
      apiRoles.map((role) => [role, mayAsk(operation, role === 'anyone' ? [] : [role])]),
    ) as Record<ApiRole, boolean>,
  }))
}

/** The same as a table in Markdown. */
export function matrixText(contract: Pick<Contract, 'operations'>): string {
  const rows = matrixOf(contract).map(
    ({ id, may }) => `| ${id} | ${apiRoles.map((role) => (may[role] ? 'yes' : '-')).join(' | ')} |`,
  )
  return [`| operation | ${apiRoles.join(' | ')} |`, `|---|${apiRoles.map(() => '---').join('|')}|`, ...rows].join('\n')
}
