import { createPublicKey, type KeyObject } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import type { Log } from '#kernel'
import { type Directory, verifyDirectory } from '#pool'
import { hostError } from '../errors.ts'
import { writePrivateJson } from '../disk/write-file.ts'

const everyMs = 30_000
const firstMs = 8000
const answerMs = 5000

/** A gateway's own copy of the directory. It outlives the federation. */
export type DirectoryCopy = { current(): Directory; close(): void }

/**
 * Opens the copy, and refreshes it from the federation from time to time. Only the first start needs the federation.
 * @param onChange called after another version was taken over
 * @throws connect.slow when there is no copy yet and the federation does not answer
 */
export async function openDirectoryCopy(
  input: { file: string; url: string; publicKey: string; log: Log },
  onChange: () => void,
): Promise<DirectoryCopy> {
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(input.publicKey, 'hex')])
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
  let current = existsSync(input.file)
    ? verifyDirectory(JSON.parse(readFileSync(input.file, 'utf8')), key, 0)
    : await firstDirectory(input, key)
  const refresh = async () => {
    const signed = await fetchDirectory(input.url)
    const next = verifyDirectory(signed, key, current.version)
    if (next.version === current.version) return
    writePrivateJson(input.file, signed)
    current = next
    onChange()
    input.log('info', 'directory.taken', { version: next.version })
  }
  const quietly = () =>
    void refresh().catch((error: unknown) => {
      input.log('warn', 'directory.stale', { reason: error instanceof Error ? error.message : String(error) })
    })
  const timer = setInterval(quietly, everyMs)
  quietly()
  return { current: () => current, close: () => clearInterval(timer) }
}

async function firstDirectory(input: { file: string; url: string }, key: KeyObject): Promise<Directory> {
  const until = performance.now() + firstMs
  while (true) {
    try {
      const signed = await fetchDirectory(input.url)
      const directory = verifyDirectory(signed, key, 0)
      writePrivateJson(input.file, signed)
      return directory
    } catch (error) {
      if (performance.now() > until) throw hostError('connect.slow', { url: input.url, seconds: firstMs / 1000 }, error)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

async function fetchDirectory(url: string): Promise<unknown> {
  const response = await fetch(`${url}/v1/directory`, { signal: AbortSignal.timeout(answerMs) })
  if (!response.ok) throw hostError('connect.refused', { url })
  return response.json()
}
