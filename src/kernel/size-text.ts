const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** "1.5 MiB" */
export function sizeText(bytes: number): string {
  let [value, unit] = [bytes, 0]
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
