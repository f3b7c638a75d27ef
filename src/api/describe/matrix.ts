import { type ApiRole, apiRoles, mayAsk, type Reach } from '../operation.ts'
import type { Contract } from './contract.ts'

/** Which role may ask what, and whose things it reaches: one row per operation. `anyone` is whoever is not known. */
export function matrixOf({
  operations,
}: Pick<Contract, 'operations'>): { id: string; reach: Reach; may: Record<ApiRole, boolean> }[] {
  return operations.map((operation) => ({
    id: operation.id,
    reach: operation.reach,
    may: Object.fromEntries(
      apiRoles.map((role) => [role, mayAsk(operation, role === 'anyone' ? [] : [role])]),
    ) as Record<ApiRole, boolean>,
  }))
}

/** The same as a table in Markdown. */
export function matrixText(contract: Pick<Contract, 'operations'>): string {
  const rows = matrixOf(contract).map(
    ({ id, reach, may }) => `| ${id} | ${reach} | ${apiRoles.map((role) => (may[role] ? 'yes' : '-')).join(' | ')} |`,
  )
  return [
    `| operation | reach | ${apiRoles.join(' | ')} |`,
    `|---|---|${apiRoles.map(() => '---').join('|')}|`,
    ...rows,
  ].join('\n')
}
