import { createHash, timingSafeEqual } from 'node:crypto'
import { accessError, chunkSignature, trailerSignature, type Verified } from '#access'
import { s3Error } from './errors.ts'

/** How a body is framed: `signed` when its chunks carry signatures, `trailers` when fields follow it. */
export type Framing = { signed?: Verified; trailers: boolean }

const longestLine = 4096
const largestChunk = 64 * 1024 * 1024
const mostTrailers = 16

/**
 * Takes the frames off an aws-chunked body, in all of its forms, and checks what is signed. Bytes are passed on before
 * the signature of their chunk is known: nothing is committed before the last one is.
 * Source: "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks", AWS S3 API.
 * @param onTrailers called once, before the end, with lower-case names
 * @throws s3.incomplete, access.signature
 */
export async function* decodeChunks(
  body: AsyncIterable<Uint8Array>,
  { signed, trailers }: Framing,
  onTrailers: (fields: Map<string, string>) => void,
): AsyncGenerator<Uint8Array> {
  const reader = openReader(body)
  let previous = signed?.signature ?? ''
  while (true) {
    const { size, signature } = chunkHead(await reader.line(), signed !== undefined)
    const hash = signed && createHash('sha256')
    for await (const piece of reader.bytes(size)) {
      hash?.update(piece)
      yield piece
    }
    if (signed && hash) {
      check(signature, chunkSignature(signed, previous, hash.digest('hex')))
      previous = signature
    }
    if (size === 0) break
    if ((await reader.line()) !== '') throw broken('a chunk is longer than its head says')
  }
  if (trailers) onTrailers(await readTrailers(reader, signed, previous))
  else if ((await reader.line()) !== '') throw broken('the last chunk has a body')
  if (!(await reader.atEnd())) throw broken('bytes follow the last chunk')
}

function chunkHead(line: string, signed: boolean): { size: number; signature: string } {
  const match = /^([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line)
  if (!match || (signed && match[2] === undefined)) throw broken('the head of a chunk is not understood')
  const size = Number.parseInt(match[1] as string, 16)
  if (size > largestChunk) throw broken('a chunk is too large')
  return { size, signature: match[2] ?? '' }
}

async function readTrailers(
  reader: Reader,
  signed: Verified | undefined,
  previous: string,
): Promise<Map<string, string>> {
  const fields = new Map<string, string>()
  let signature: string | undefined
  for (let line = await reader.line(); line !== ''; line = await reader.line()) {
    const at = line.indexOf(':')
    const name = line.slice(0, at).trim().toLowerCase()
    const value = line.slice(at + 1).trim()
    if (at < 1 || fields.size >= mostTrailers) throw broken('a trailer is not understood')
    if (name === 'x-amz-trailer-signature') signature = value
    else fields.set(name, value)
  }
  if (signed) {
    const text = [...fields]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => `${name}:${value}\n`)
      .join('')
    check(signature ?? '', trailerSignature(signed, previous, text))
  }
  return fields
}

function check(stated: string, right: string): void {
  const [a, b] = [Buffer.from(stated, 'hex'), Buffer.from(right, 'hex')]
  // Hexadecimal is read up to the first sign that is none, so the length of the text counts too.
  if (stated.length !== right.length || a.length !== b.length || !timingSafeEqual(a, b))
    throw accessError('access.signature')
}

const broken = (reason: string) => s3Error('s3.incomplete', { reason })

type Reader = {
  /** The next line without its end; a lone line feed ends one too. */
  line(): Promise<string>
  /** The next bytes, as they come. */
  bytes(length: number): AsyncGenerator<Uint8Array>
  atEnd(): Promise<boolean>
}

function openReader(body: AsyncIterable<Uint8Array>): Reader {
  const chunks = body[Symbol.asyncIterator]()
  let rest: Uint8Array = new Uint8Array(0)
  let ended = false
  /** @returns false at the end */
  const more = async (): Promise<boolean> => {
    while (rest.length === 0 && !ended) {
      const { done, value } = await chunks.next()
      if (done) ended = true
      else rest = value
    }
    return rest.length > 0
  }
  return {
    async line() {
      const pieces: Uint8Array[] = []
      let length = 0
      while (true) {
        if (!(await more())) throw broken('it ends in the middle')
        const at = rest.indexOf(0x0a)
        const piece = at === -1 ? rest : rest.subarray(0, at)
        pieces.push(piece)
        length += piece.length
        if (length > longestLine) throw broken('a line is too long')
        rest = rest.subarray(at === -1 ? rest.length : at + 1)
        if (at === -1) continue
        // Before a line of its own, an older form of trailers has another line feed in front of the carriage return.
        return Buffer.concat(pieces).toString('latin1').replace(/\r$/, '')
      }
    },
    async *bytes(length) {
      for (let left = length; left > 0; ) {
        if (!(await more())) throw broken('it ends in the middle')
        const piece = rest.length <= left ? rest : rest.subarray(0, left)
        rest = rest.subarray(piece.length)
        left -= piece.length
        yield piece
      }
    },
    atEnd: async () => !(await more()),
  }
}
