import assert from 'node:assert/strict'
import { readFileSync, readSync, openSync, closeSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { signRequest } from '#client'
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
  const s3Delete = async (path: string) => {
    const url = new URL(`${pelago.s3}${path}`)
    const key = { id: pelago.accessKeyId, secret: pelago.secretAccessKey }
    const request = { method: 'DELETE', url, headers: {} }
    const head = signRequest(request, key, pelago.region, 'UNSIGNED-PAYLOAD', Date.now())
    const answer = await fetch(url, { method: 'DELETE', headers: head })
    assert.equal(answer.status, 204)
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

  test('is rotated in its file: keys follow by themselves, and the old one goes only when nothing needs it', async () => {
    const roots = async () => {
      const { out } = await pelago.cli('key', 'list', '--root', '--json')
      return JSON.parse(out) as { root: string; roots: { root: string; epochs: number }[] }
    }
    const before = await roots()
    assert.deepEqual(
      before.roots.map(({ root }) => root),
      [before.root],
    )
    const { root, keys } = JSON.parse(await cli('key', 'rotate', '--root', '--json')) as { root: string; keys: number }
    assert.equal(keys, 2)
    await until('all keys are under the new root key', async () => {
      const now = await roots()
      return now.root === root && now.roots.every((one) => one.root === root) ? true : null
    })
    await until('it is in the log', async () =>
      /another root key/.test(await cli('log', 'list', '--topic', 'root.taken')) ? true : null,
    )
    const retired = JSON.parse(await cli('key', 'retire', '--json')) as { root: string; retired: string[] }
    assert.deepEqual(retired, { root, retired: [before.root] })
    process.kill((await pidOf('gateway')) as number, 'SIGKILL')
    await until('it is read without the old one', async () => ((await read()).code === 0 ? true : null))
  })

  test('of a bucket are rotated: what was put before is read, what is put after too, and the state is said in words', async () => {
    const first = await cli('key', 'list', 'kept')
    assert.match(first, /^1 +current/m)
    assert.match(first, /No rotation is under way/)
    assert.match(await cli('key', 'rotate', 'kept'), /under epoch 2/)
    const again = await pelago.cli('key', 'rotate', 'kept')
    assert.deepEqual([again.code, /rotated already/.test(again.err)], [1, true])
    const during = await cli('key', 'list', 'kept')
    assert.match(during, /^1 +leaving[^]*^2 +current/m)
    assert.match(during, /is deleted, and erased once its keys are destroyed/)
    await cli('object', 'put', join(files, 'one'), 's3://kept/after')
    assert.equal((await read()).code, 0)
    await until('it is on its way', async () =>
      / 1 so far|[2-9] so far/.test(await cli('key', 'list', 'kept')) ? true : null,
    )
    assert.match(await cli('jobs'), /wrapped by a new epoch/)
    assert.match(await cli('log', 'list', '--topic', 'epoch.begun'), /new epoch/)
    assert.match(await cli('key', 'rotate', '--packs'), /on their way/)
    const missing = await pelago.cli('key', 'rotate', 'nobodys')
    assert.equal(missing.code, 1)
    const unsaid = await pelago.cli('key', 'rotate')
    assert.deepEqual([unsaid.code, /Say whose keys/.test(unsaid.err)], [1, true])
  })

  test('of a deleted bucket are to be destroyed, and that is said', async () => {
    await cli('bucket', 'create', 'passing')
    await cli('object', 'put', join(files, 'one'), 's3://passing/one')
    await s3Delete('/passing/one')
    await s3Delete('/passing')
    assert.match(await cli('key', 'erasures'), /deleted in passing before .* is deleted, and erased once/)
    assert.match(await cli('key', 'list', '--root'), /was deleted, and readers that began earlier are given time/)
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
