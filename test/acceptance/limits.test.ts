import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { signRequest } from '../../src/client/index.ts'
import { secondKey } from './second-key.ts'
import { type Pelago, startPelago } from './start-pelago.ts'

const body = Buffer.alloc(200_000, 5)

describe('one key that floods the gateway leaves room for another', () => {
  let pelago: Pelago
  let folder: string
  let second: { id: string; secret: string }
  const open: Socket[] = []

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pelago-limits-'))
    const first = await startPelago({ data: folder })
    await first.cli('bucket', 'create', 'flood')
    second = await secondKey(first)
    await first.stop()
    const s3Limits = { requests: 8, requestsPerKey: 4, ratePerKey: 2, burstPerKey: 40 }
    await writeFile(join(folder, 'settings.json'), JSON.stringify({ s3Limits }))
    pelago = await startPelago({ data: folder })
  })
  after(async () => {
    for (const socket of open) socket.destroy()
    await pelago?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  /** Sends a signed head and as much of its body as is said. @returns what is heard until the answer's head is whole */
  async function send(key: { id: string; secret: string }, path: string, sent: Buffer | undefined, of?: Buffer) {
    const url = new URL(path, pelago.s3)
    const sha256 = createHash('sha256')
      .update(of ?? Buffer.alloc(0))
      .digest('hex')
    const method = of ? 'PUT' : 'GET'
    const length: Record<string, string> = of ? { 'content-length': String(of.length) } : {}
    const headers = signRequest({ method, url, headers: length }, key, pelago.region, sha256, Date.now())
    const lines = Object.entries(headers)
    const socket = connect(Number(url.port), url.hostname)
    open.push(socket)
    socket.on('error', () => 'it was cut')
    let heard = ''
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')))
    await once(socket, 'connect')
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    socket.write(`${method} ${url.pathname}${url.search} HTTP/1.1\r\n${head}\r\n`)
    if (sent) socket.write(sent)
    const answer = async () => {
      while (!heard.includes('\r\n\r\n') && !socket.destroyed)
        await Promise.race([once(socket, 'data'), once(socket, 'close')])
      return heard
    }
    return { socket, answer }
  }

  test('slow bodies of one key take its places, and no more', async () => {
    const flooding = { id: pelago.accessKeyId, secret: pelago.secretAccessKey }
    const half = body.subarray(0, 100_000)
    const held = await Promise.all(
      Array.from({ length: 30 }, (_, at) => send(flooding, `/flood/held-${at}`, half, body)),
    )
    const within = (ms: number) => new Promise<string>((resolve) => setTimeout(resolve, ms, ''))
    const answers = await Promise.all(held.map(({ answer }) => Promise.race([answer(), within(1500)])))
    const refused = answers.filter((text) => text.startsWith('HTTP/1.1 503 '))
    assert.equal(refused.length, 26)
    for (const text of refused) {
      assert.match(text, /\r\nretry-after: \d+\r\n/)
      assert.match(text, /<Code>SlowDown<\/Code>/)
    }
    for (let at = 0; at < 10; at++) {
      const put = await send(second, `/flood/other-${at}`, body, body)
      assert.match(await put.answer(), /^HTTP\/1\.1 200 /)
      const get = await send(second, `/flood/other-${at}`, undefined)
      assert.match(await get.answer(), /^HTTP\/1\.1 200 /)
      get.socket.destroy()
    }
    // Those that had a place come to their end, and give it back.
    const waiting = held.filter((_, at) => answers[at] === '')
    assert.equal(waiting.length, 4)
    for (const { socket } of waiting) socket.write(body.subarray(100_000))
    for (const { answer } of waiting) assert.match(await answer(), /^HTTP\/1\.1 200 /)
  })

  test('a key that sends faster than its rate is told to wait, and the other one is not', async () => {
    const flooding = { id: pelago.accessKeyId, secret: pelago.secretAccessKey }
    const statuses: string[] = []
    for (let at = 0; at < 80; at++) {
      const { socket, answer } = await send(flooding, '/flood/other-0', undefined)
      statuses.push((await answer()).slice(9, 12))
      socket.destroy()
    }
    assert.ok(statuses.includes('200'))
    assert.ok(statuses.filter((status) => status === '503').length > 5, statuses.join())
    assert.match(await (await send(second, '/flood/other-0', undefined)).answer(), /^HTTP\/1\.1 200 /)
  })
})
