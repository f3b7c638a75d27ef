import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { hostError } from '../errors.ts'

/** Where a PostgreSQL database is: its URL without a password, or the path of a file that holds its URL. */
export type PostgresConfig = { postgres: string; passwordFile?: string }

export type PostgresAddress = { url: string; password: (() => Promise<string>) | undefined }

/**
 * Reads where a database is. A password comes out of a file alone, read again at each connection, so that it can be changed
 * and never stands in a configuration, a list of processes or a log.
 * @throws postgres.address, postgres.password, file.missing
 */
export function postgresAddress({ postgres, passwordFile }: PostgresConfig): PostgresAddress {
  const inFile = isAbsolute(postgres)
  const url = urlOf(inFile ? readUrl(postgres) : postgres, inFile ? postgres : 'what was given')
  if (!inFile && url.password !== '') throw hostError('postgres.password')
  if (passwordFile !== undefined) {
    readUrl(passwordFile)
    return { url: bare(url), password: async () => (await readFile(passwordFile, 'utf8')).trim() }
  }
  if (url.password === '') return { url: bare(url), password: undefined }
  const read = async () => decodeURIComponent(urlOf((await readFile(postgres, 'utf8')).trim(), postgres).password)
  return { url: bare(url), password: read }
}

/** Which database it is, for comparing and for people. */
export function databaseOf({ url }: PostgresAddress): string {
  const { hostname, port, pathname } = new URL(url)
  return `${hostname}:${port || '5432'}${pathname}`
}

function urlOf(text: string, where: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const known = url?.protocol === 'postgres:' || url?.protocol === 'postgresql:'
  if (!url || !known || url.pathname.length < 2) throw hostError('postgres.address', { where })
  return url
}

function bare(url: URL): string {
  const without = new URL(url)
  without.password = ''
  return without.href
}

function readUrl(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw hostError('file.missing', { file }, error)
    throw error
  }
}
