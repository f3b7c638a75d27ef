import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { run, startPelago } from './start-pelago.ts'

const root = join(import.meta.dirname, '..', '..')

test('the tour of the README runs as it is written', async () => {
  const blocks = [
    ...(await readFile(join(root, 'README.md'), 'utf8')).matchAll(/<!-- tour -->\n```sh\n([^]*?)```/g),
  ].map((match) => match[1] as string)
  assert.ok(blocks.length >= 4)
  const folder = await mkdtemp(join(tmpdir(), 'pelago-tour-'))
  for (const name of ['bin', 'README.md', 'LICENSE']) await symlink(join(root, name), join(folder, name))
  const pelago = await startPelago({ data: join(folder, 'data') })
  try {
    const said: string[] = []
    for (const block of blocks) {
      const { code, out, err } = await run('bash', ['-euo', 'pipefail', '-c', block], { cwd: folder })
      assert.equal(code, 0, `${block}\n${out}${err}`)
      said.push(out)
    }
    assert.match(said[0] ?? '', /survives 2 more losses[^]*shannon/)
    assert.match(said[1] ?? '', /2 of 7 providers do not answer/)
    assert.match(said[2] ?? '', /loire runs\.[^]*ok +process loire/)
    assert.match(said[3] ?? '', /reuss +Its data lie in Switzerland/)
  } finally {
    await pelago.close()
    await rm(folder, { recursive: true, force: true })
  }
})
