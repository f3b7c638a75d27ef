/** The product's Reed-Solomon code beside @ronomon/reed-solomon, which the bench brings itself: a package with C++ inside. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { startHelper } from './processes.ts'

const wanted = '@ronomon/reed-solomon@6.0.0'

/** @returns bytes of data per CPU second, once per round. @throws Error when npm cannot build the package */
export async function measureCodes(
  rounds: number,
  say: (line: string) => void,
): Promise<{ own: number[]; ronomon: number[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'pelago-bench-code-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
    say(`npm builds ${wanted} in a temporary folder`)
    const home = join(dirname(process.execPath), '..')
    const install = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--foreground-scripts', wanted], {
      cwd: folder,
      encoding: 'utf8',
      // The headers of the very Node that is going to load it, where it has them.
      env: { ...process.env, ...(existsSync(join(home, 'include')) && { npm_config_nodedir: home }) },
    })
    if (install.status !== 0)
      throw new Error(`npm could not build ${wanted}: ${install.stderr || install.error?.message}`)
    const helper = startHelper('codes-process.ts', [folder])
    try {
      const speeds: { own: number[]; ronomon: number[] } = { own: [], ronomon: [] }
      for (let round = 0; round < rounds; round++) {
        const speed = (await helper.ask('measure')) as { own: number; ronomon: number }
        speeds.own.push(speed.own)
        speeds.ronomon.push(speed.ronomon)
      }
      return speeds
    } finally {
      helper.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
