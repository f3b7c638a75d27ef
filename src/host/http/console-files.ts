import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import type { IncomingMessage, ServerResponse } from 'node:http'

type File = { bytes: Buffer; brotli: Buffer | undefined; type: string; lasting: boolean }

/** The console's files as an edge sends them. */
export type ConsoleFiles = {
  /** @returns whether it was a request for a page; else the API answers */
  answer(request: IncomingMessage, response: ServerResponse): boolean
}

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  json: 'application/json',
  woff2: 'font/woff2',
}

/**
 * Serves the built console out of memory. Nothing of it is secret; what it shows comes from the API.
 * @param folder where the build lies or will lie; until then every page says so
 * @param s3 origin of the S3 endpoint, where content comes from and goes to
 */
export function openConsoleFiles(folder: string, s3: string): ConsoleFiles {
  let files: Map<string, File> | undefined
  const headers = headersFor(s3)
  return {
    answer(request, response) {
      // The build may come after the gateway.
      files ??= existsSync(join(folder, 'index.html')) ? readAll(folder) : undefined
      const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
      if (!['GET', 'HEAD'].includes(request.method ?? '') || path.startsWith('/v1/')) return false
      const file = files?.get(path)
      if (file) send(request, response, file, headers)
      // Every other address is a place inside the console, unless a program asks.
      else if (!(request.headers.accept ?? '').includes('text/html')) return false
      else if (files) send(request, response, files.get('/index.html') as File, headers)
      else
        response.writeHead(503, { ...headers, 'content-type': 'text/plain; charset=utf-8', refresh: '2' }).end(unbuilt)
      return true
    },
  }
}

const unbuilt = `The console is being built; this page looks again by itself. If it does not come: node bin/start.mjs console
Die Konsole wird gerade gebaut; diese Seite sieht von selbst wieder nach. Kommt sie nicht: node bin/start.mjs console
`

function readAll(folder: string): Map<string, File> {
  const files = new Map<string, File>()
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith('.br')) continue
    const file = join(entry.parentPath, entry.name)
    const path = `/${relative(folder, file).split(sep).join('/')}`
    const twin = `${file}.br`
    files.set(path, {
      bytes: readFileSync(file),
      brotli: existsSync(twin) ? readFileSync(twin) : undefined,
      type: types[entry.name.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
      // Their names change with their content.
      lasting: path.startsWith('/assets/'),
    })
  }
  return files
}

function send(request: IncomingMessage, response: ServerResponse, file: File, headers: Record<string, string>): void {
  const small = file.brotli && /\bbr\b/.test(request.headers['accept-encoding'] ?? '')
  const body = small && file.brotli ? file.brotli : file.bytes
  response.writeHead(200, {
    ...headers,
    'content-type': file.type,
    'content-length': body.length,
    'cache-control': file.lasting ? 'public, max-age=31536000, immutable' : 'no-cache',
    vary: 'accept-encoding',
    ...(small && { 'content-encoding': 'br' }),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** The one rule that react-aria writes into the page: what may be pressed is not zoomed by a double tap. */
const touchRule = 'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o='

/** Scripts and styles come from here alone, content from the S3 endpoint; nobody frames a page. Source: CSP level 3. */
function headersFor(s3: string): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' '${touchRule}'`,
    `img-src 'self' blob: ${s3}`,
    `media-src 'self' ${s3}`,
    `connect-src 'self' ${s3}`,
    "font-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ]
  return {
    'content-security-policy': policy.join('; '),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'permissions-policy':
      'camera=(), geolocation=(), microphone=(), publickey-credentials-get=(self), publickey-credentials-create=(self)',
  }
}
