import { close, closeSync, fdatasync, fstatSync, open, openSync, read, readSync, write, writeSync } from 'node:fs'
import { promisify } from 'node:util'

/**
 * An open file by its number. Node's own handles cost twice as much for files as short as packs of small objects, and can only
 * be closed on another thread.
 */
export type OpenFile = {
  read(into: Uint8Array, offset: number): Promise<number>
  /** The same on this thread. @throws what `read` rejects with */
  readNow(into: Uint8Array, offset: number): number
  write(bytes: Uint8Array, offset: number): Promise<number>
  /** The same on this thread. @throws what `write` rejects with */
  writeNow(bytes: Uint8Array, offset: number): number
  datasync(): Promise<void>
  size(): number
  close(): Promise<void>
}

const openNumber = promisify(open)
const closeNumber = promisify(close)

export async function openFile(path: string, flags: number | string, mode?: number): Promise<OpenFile> {
  return ofNumber(await openNumber(path, flags, mode))
}

/** Opens on this thread. @throws what `openFile` rejects with */
export function openFileNow(path: string, flags: number | string, mode?: number): OpenFile {
  return ofNumber(openSync(path, flags, mode))
}

function ofNumber(fd: number): OpenFile {
  let running = 0
  let closed = false
  let unsynced = false
  let wake: (() => void) | undefined
  const closedError = () => Object.assign(new Error('the file is closed'), { code: 'EBADF' })
  const count = (begin: (done: (error: Error | null, value: number) => void) => void): Promise<number> =>
    new Promise((resolve, reject) => {
      if (closed) return reject(closedError())
      running++
      begin((error, value) => {
        running--
        if (running === 0) wake?.()
        if (error) reject(error)
        else resolve(value)
      })
    })
  return {
    read: (into, offset) => count((done) => read(fd, into, 0, into.length, offset, done)),
    readNow(into, offset) {
      if (closed) throw closedError()
      return readSync(fd, into, 0, into.length, offset)
    },
    write(bytes, offset) {
      unsynced = true
      return count((done) => write(fd, bytes, 0, bytes.length, offset, done))
    },
    writeNow(bytes, offset) {
      if (closed) throw closedError()
      unsynced = true
      return writeSync(fd, bytes, 0, bytes.length, offset)
    },
    async datasync() {
      await count((done) => fdatasync(fd, (error) => done(error, 0)))
      unsynced = false
    },
    size: () => fstatSync(fd).size,
    async close() {
      if (closed) return
      closed = true
      // The system gives the number to the next file that is opened; what still runs would go there.
      if (running > 0) await new Promise<void>((resolve) => (wake = resolve))
      // Only where there is something left to write can closing take long.
      if (unsynced) await closeNumber(fd)
      else closeSync(fd)
    },
  }
}
