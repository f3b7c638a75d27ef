import assert from 'node:assert/strict'
import { readFileSync, readSync, openSync, closeSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Pelago, startPelago } from './start-pelago.ts'

/** Whether a process has these bytes in memory that it may write. Needs the right to look, as root or as its parent has. */
function holds(pid: number, wanted: Buffer): boolean {
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from = '', to = '', how = ''] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? []
      if (!how.startsWith('rw')) continue
      const start = Number.parseInt(from, 16)
      const step = 8 * 1024 * 1024
      for (let at = start; at < Number.parseInt(to, 16); at += step) {
        // Pieces overlap, so that what lies over an edge is found.
        const piece = Buffer.alloc(Math.min(step + wanted.length, Number.parseInt(to, 16) - at))
        try {
          readSync(memory, piece, 0, piece.length, at)
        } catch {
          continue
        }
        if (piece.includes(wanted)) return true
      }
    }
    return false
  } finally {
    closeSync(memory)
  }
}

const linux = process.platform === 'linux' && process.getuid?.() === 0 ? {} : { skip: 'looks into /proc as root' }

describe('the root key', () => {
  let pelago: Pelago
  let files: string
  const cli = async (...words: string[]) => {
    const { code, out, err } = await pelago.cli(...words)
    assert.equal(code, 0, `${words.join(' ')}: ${out}${err}`)
    return out
  }
  const pidOf = async (name: string) => {
    const { out } = await pelago.cli('status', '--json')
    const { status } = JSON.parse(out) as {
      status: { processes: { name: string; state: string; pid: number | null }[] }
    }
    const found = status.processes.find((process) => process.name === name)
    return found?.state === 'running' ? found.pid : null
  }
  const until = async <T>(what: string, look: () => Promise<T | null>): Promise<T> => {
    for (let wait = 0; wait < 200; wait++) {
      const found = await look()
      if (found !== null) return found
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    throw new Error(`in vain: ${what}`)
  }
  const read = async () => {
    await rm(join(files, 'got'), { force: true })
    return pelago.cli('object', 'get', 's3://kept/one', join(files, 'got'))
  }
  before(async () => {
    files = await mkdtemp(join(tmpdir(), 'pelago-keys-'))
    await writeFile(join(files, 'one'), 'what is kept')
    pelago = await startPelago()
    await cli('bucket', 'create', 'kept')
    await cli('object', 'put', join(files, 'one'), 's3://kept/one')
  })
  after(async () => {
    await pelago?.close()
    await rm(files, { recursive: true })
  })

  test('is in the memory of the unwrap process and not in that of the gateway, nor in its files', linux, async () => {
    const { keys } = JSON.parse(await readFile(join(pelago.data, 'unwrap', 'root.key'), 'utf8')) as {
      keys: { key: string }[]
    }
    const key = Buffer.from(keys[0]?.key as string, 'hex')
    assert.ok(holds((await pidOf('unwrap')) as number, key), 'the look finds what is there')
    assert.ok(!holds((await pidOf('gateway')) as number, key))
    const config = await readFile(join(pelago.data, 'gateway', 'config.json'), 'utf8')
    assert.ok(!config.includes('root.key'))
    const log = await readFile(join(pelago.data, 'log', 'unwrap.log'), 'utf8')
    assert.match(log, /epoch\.wrapped/)
    assert.ok(!log.includes(key.toString('hex')))
  })

  test('is away for a moment: reads and writes go on, and it comes back', async () => {
    process.kill((await pidOf('unwrap')) as number, 'SIGKILL')
    assert.equal((await read()).code, 0)
    await cli('object', 'put', join(files, 'one'), 's3://kept/two')
    await until('the unwrap process is back', () => pidOf('unwrap'))
    await cli('bucket', 'create', 'another')
    await cli('object', 'put', join(files, 'one'), 's3://another/one')
  })

  test('does not answer: what is in memory goes on, a gateway that starts waits for it, and reads as soon as it is back', async () => {
    const pid = (await pidOf('unwrap')) as number
    process.kill(pid, 'SIGSTOP')
    try {
      assert.equal((await read()).code, 0)
      process.kill((await pidOf('gateway')) as number, 'SIGKILL')
      await new Promise((resolve) => setTimeout(resolve, 3000))
      assert.equal((await read()).code, 1)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await until('it is read again', async () => ((await read()).code === 0 ? true : null))
    assert.equal(await readFile(join(files, 'got'), 'utf8'), 'what is kept')
  })
})
