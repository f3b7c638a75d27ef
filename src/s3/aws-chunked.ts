import { createHash, timingSafeEqual } from 'node:crypto'
import { accessError, chunkSignature, trailerSignature, type Verified } from '#access'
import { s3Error } from './errors.ts'

/** How a body is framed: `signed` when its chunks carry signatures, `trailers` when fields follow it. */
export type Framing = { signed?: Verified; trailers: boolean }

const longestLine = 4096
const largestChunk = 64 * 1024 * 1024
const mostTrailers = 16

type OnTrailers = (fields: Map<string, string>) => void

/**
 * Takes the frames off an aws-chunked body, in all of its forms, and checks what is signed. Bytes are passed on before
 * the signature of their chunk is known: nothing is committed before the last one is.
 * Source: "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks", AWS S3 API.
 * @param onTrailers called once, before the end, with lower-case names
 * @throws s3.incomplete, access.signature
 */
export async function* decodeChunks(
  body: AsyncIterable<Uint8Array>,
  framing: Framing,
  onTrailers: OnTrailers,
): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]()
  const decoder = openDecoder(framing, onTrailers)
  for (let step = decoder.next(); !step.done; ) {
    if (step.value) {
      yield step.value
      step = decoder.next()
    } else {
      const { done, value } = await chunks.next()
      step = decoder.next(done ? undefined : value)
    }
  }
}

/** The same for a body that has come whole. @returns its bytes; they may be a part of `body` */
export function decodeWhole(body: Uint8Array, framing: Framing, onTrailers: OnTrailers): Uint8Array {
  const decoder = openDecoder(framing, onTrailers)
  const pieces: Uint8Array[] = []
  let input: Uint8Array | undefined = body
  for (let step = decoder.next(); !step.done; ) {
    if (step.value) {
      pieces.push(step.value)
      step = decoder.next()
    } else {
      step = decoder.next(input)
      input = undefined
    }
  }
  const [only] = pieces
  return only && pieces.length === 1 ? only : Buffer.concat(pieces)
}

/** Yields plain bytes; where it yields `undefined` it wants the next bytes of the body, or `undefined` for its end. */
type Decoder<T> = Generator<Uint8Array | undefined, T, Uint8Array | undefined>

function* openDecoder({ signed, trailers }: Framing, onTrailers: OnTrailers): Decoder<void> {
  const reader = openReader()
  let previous = signed?.signature ?? ''
  while (true) {
    const { size, signature } = chunkHead(yield* reader.line(), signed !== undefined)
    const hash = signed && createHash('sha256')
    for (let left = size; left > 0; ) {
      const piece = yield* reader.atMost(left)
      left -= piece.length
      hash?.update(piece)
      yield piece
    }
    if (signed && hash) {
      check(signature, chunkSignature(signed, previous, hash.digest('hex')))
      previous = signature
    }
    if (size === 0) break
    if ((yield* reader.line()) !== '') throw broken('a chunk is longer than its head says')
  }
  if (trailers) onTrailers(yield* readTrailers(reader, signed, previous))
  else if ((yield* reader.line()) !== '') throw broken('the last chunk has a body')
  if (!(yield* reader.atEnd())) throw broken('bytes follow the last chunk')
}

function chunkHead(line: string, signed: boolean): { size: number; signature: string } {
  const match = /^([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line)
  if (!match || (signed && match[2] === undefined)) throw broken('the head of a chunk is not understood')
  const size = Number.parseInt(match[1] as string, 16)
  if (size > largestChunk) throw broken('a chunk is too large')
  return { size, signature: match[2] ?? '' }
}

function* readTrailers(reader: Reader, signed: Verified | undefined, previous: string): Decoder<Map<string, string>> {
  const fields = new Map<string, string>()
  let signature: string | undefined
  for (let line = yield* reader.line(); line !== ''; line = yield* reader.line()) {
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
  line(): Decoder<string>
  /** The next bytes as they come, at most so many. */
  atMost(length: number): Decoder<Uint8Array>
  atEnd(): Decoder<boolean>
}

function openReader(): Reader {
  let rest: Uint8Array = new Uint8Array(0)
  let ended = false
  /** @returns false at the end */
  function* more(): Decoder<boolean> {
    while (rest.length === 0 && !ended) {
      const chunk = yield undefined
      if (chunk) rest = chunk
      else ended = true
    }
    return rest.length > 0
  }
  return {
    *line() {
      const pieces: Uint8Array[] = []
      let length = 0
      while (true) {
        if (!(yield* more())) throw broken('it ends in the middle')
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
    *atMost(length) {
      if (!(yield* more())) throw broken('it ends in the middle')
      const piece = rest.length <= length ? rest : rest.subarray(0, length)
      rest = rest.subarray(piece.length)
      return piece
    },
    *atEnd() {
      return !(yield* more())
    },
  }
}
