import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type Certificate, judgeCertificate } from '#endpoint'
import { type Clock, type Log, PelagoError } from '#kernel'
import { hostError } from '../errors.ts'
import { type ChangingCertificate, openChanging } from './certificate-state.ts'

/** How often the files are looked at, milliseconds. Looking works on every file system and for every way to replace a file. */
const lookMs = 5000

type Files = { certificateFile: string; keyFile: string }

/**
 * Shows the certificate that lies in two files, and the next one as soon as it lies there and is good. One that is not good is
 * refused: at the start altogether, later in favour of the one that was shown before.
 * @param hostnames names that it must be for
 * @throws endpoint errors, file.missing
 */
export function openGivenCertificate(
  { clock, log }: { clock: Clock; log: Log },
  files: Files,
  hostnames: readonly string[],
): ChangingCertificate & { close(): void } {
  const first = readGiven(files, hostnames, clock.now())
  const changing = openChanging(first)
  let looked = textOf(first)
  let cancel = () => {}
  let closed = false

  const look = async () => {
    const found = await readPair(files)
    const text = textOf(found)
    if (text === looked) return
    try {
      const { notAfter } = judgeCertificate(found, hostnames, clock.now())
      changing.show(found)
      log('info', 'certificate.taken', { until: new Date(notAfter).toISOString() })
    } catch (error) {
      if (!(error instanceof PelagoError)) throw error
      // The two files change one after the other: what does not fit together yet is looked at once more before it is named.
      if (error.code === 'endpoint.mismatch' && !(await isSettled(clock, files, text))) return
      changing.trouble(error.message)
      log('error', 'certificate.refused', { reason: error.message })
    }
    looked = text
  }
  const next = () => {
    cancel = clock.after(lookMs, () => {
      look()
        .catch((error: unknown) => {
          const reason = error instanceof Error ? error.message : String(error)
          const { message } = hostError('certificate.changing', { reason })
          if (changing.state().trouble !== message) log('error', 'certificate.unread', { reason })
          changing.trouble(message)
          looked = ''
        })
        .finally(() => closed || next())
    })
  }
  next()
  return {
    ...changing,
    close() {
      closed = true
      cancel()
    },
  }
}

const textOf = ({ chain, key }: Certificate) => `${chain}\n${key}`

async function readPair({ certificateFile, keyFile }: Files): Promise<Certificate> {
  return { chain: await readFile(certificateFile, 'utf8'), key: await readFile(keyFile, 'utf8') }
}

/**
 * Reads a certificate that clients will take.
 * @param now milliseconds since 1970
 * @throws endpoint errors, file.missing
 */
export function readGiven({ certificateFile, keyFile }: Files, hostnames: readonly string[], now: number): Certificate {
  const read = (file: string) => {
    try {
      return readFileSync(file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw hostError('file.missing', { file }, error)
      throw error
    }
  }
  const given = { chain: read(certificateFile), key: read(keyFile) }
  judgeCertificate(given, hostnames, now)
  return given
}

const settleMs = 1000

/** Whether nobody has gone on writing within a moment. */
async function isSettled(clock: Clock, files: Files, text: string): Promise<boolean> {
  await new Promise<void>((resolve) => void clock.after(settleMs, resolve))
  return textOf(await readPair(files)) === text
}
