/** Aligns rows in columns, two blanks apart. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, cell.length)
    })
  }
  return rows.map((row) =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] as number)))
      .join('  ')
      .trimEnd(),
  )
}

/** "for 3 min" */
export function sinceText(since: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - since) / 1000))
  if (seconds < 90) return `for ${seconds} s`
  if (seconds < 5400) return `for ${Math.round(seconds / 60)} min`
  if (seconds < 129_600) return `for ${Math.round(seconds / 3600)} h`
  return `for ${Math.round(seconds / 86_400)} days`
}
