import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto'

/**
 * How a gateway asks the process that holds the root key, over a Unix socket. Frames are four bytes of length and so many
 * bytes. The first ones say who asks and give both sides' nonces in the clear; all others are sealed under a key that
 * follows from those and from what the X25519 keys of both share, so neither side talks to anybody else.
 */
export const frameMost = 4096
export const helloBytes = 36
const magic = Buffer.from('PLU1')
const nonceBytes = 32
const tagBytes = 16
const contextMost = 255

/** What may be asked. There is no word for the root key itself. */
export const words = { newest: 1, wrap: 2, unwrap: 3, rewrap: 4, count: 5 } as const
export type Word = keyof typeof words
export type Ask = { id: number; word: Word; root: string; context: string; data: Uint8Array }
export type Answer = { id: number; error: string; root: string; data: Uint8Array }

/** Cuts a stream into frames. */
export type Frames = { push(chunk: Uint8Array): Buffer[] }

/** @throws RangeError for a frame that is too long */
export function openFrames(): Frames {
  let rest = Buffer.alloc(0)
  return {
    push(chunk) {
      rest = Buffer.concat([rest, chunk])
      const frames: Buffer[] = []
      while (rest.length >= 4) {
        const length = rest.readUInt32BE(0)
        if (length > frameMost) throw new RangeError(`a frame of ${length} bytes`)
        if (rest.length < 4 + length) break
        frames.push(rest.subarray(4, 4 + length))
        rest = rest.subarray(4 + length)
      }
      return frames
    },
  }
}

export function frame(payload: Uint8Array): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(payload.length, 0)
  return Buffer.concat([head, payload])
}

/** The server's first frame. */
export const serverHello = (nonce: Uint8Array) => Buffer.concat([magic, nonce])

/** @returns the server's nonce; undefined when this is no unwrap process of this version */
export function nonceOf(hello: Buffer): Buffer | undefined {
  if (hello.length !== helloBytes || !hello.subarray(0, 4).equals(magic)) return undefined
  return hello.subarray(4)
}

/** The client's first frame. */
export const clientHello = (gateway: string, nonce: Uint8Array) => Buffer.concat([nonce, Buffer.from(gateway)])

export function readClientHello(hello: Buffer): { gateway: string; nonce: Buffer } | undefined {
  if (hello.length <= nonceBytes || hello.length > nonceBytes + 64) return undefined
  return { gateway: hello.subarray(nonceBytes).toString(), nonce: hello.subarray(0, nonceBytes) }
}

/** Seals what one side says and opens what the other says. Each frame has its number for nonce, so none can be left out or said twice. */
export type Session = { seal(plain: Uint8Array): Buffer; open(sealed: Uint8Array): Buffer }

/** @param shared what both X25519 keys share */
export function openSession(
  shared: Uint8Array,
  server: Uint8Array,
  client: Uint8Array,
  side: 'server' | 'client',
): Session {
  const salt = createHmac('sha256', server).update(client).digest()
  const keyOf = (from: string) => Buffer.from(hkdfSync('sha256', shared, salt, `pelago unwrap 1 ${from}`, 32))
  const [mine, theirs] = side === 'server' ? [keyOf('server'), keyOf('client')] : [keyOf('client'), keyOf('server')]
  let sent = 0
  let received = 0
  const numbered = (number: number) => {
    const nonce = Buffer.alloc(12)
    nonce.writeUIntBE(number, 6, 6)
    return nonce
  }
  return {
    seal(plain) {
      const cipher = createCipheriv('aes-256-gcm', mine, numbered(sent++))
      return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
    },
    /** @throws Error when it was not sealed by the other side, or is not the next one */
    open(sealed) {
      if (sealed.length < tagBytes) throw new RangeError('a frame that is too short')
      const decipher = createDecipheriv('aes-256-gcm', theirs, numbered(received++))
      decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
      return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - tagBytes)), decipher.final()])
    },
  }
}

export function writeAsk({ id, word, root, context, data }: Ask): Buffer {
  return Buffer.concat([header(words[word], id), short(root), short(context), data])
}

/** @throws RangeError when it is not a question */
export function readAsk(bytes: Buffer): Ask {
  const code = bytes.readUInt8(0)
  const word = (Object.keys(words) as Word[]).find((name) => words[name] === code)
  if (!word) throw new RangeError(`a question ${code}`)
  const root = readShort(bytes, 5)
  const context = readShort(bytes, root.end)
  return { id: bytes.readUInt32BE(1), word, root: root.text, context: context.text, data: bytes.subarray(context.end) }
}

export function writeAnswer({ id, error, root, data }: Answer): Buffer {
  return Buffer.concat([header(0, id), short(error), short(root), data])
}

/** @throws RangeError when it is not an answer */
export function readAnswer(bytes: Buffer): Answer {
  const error = readShort(bytes, 5)
  const root = readShort(bytes, error.end)
  return { id: bytes.readUInt32BE(1), error: error.text, root: root.text, data: bytes.subarray(root.end) }
}

function header(code: number, id: number): Buffer {
  const bytes = Buffer.alloc(5)
  bytes.writeUInt8(code, 0)
  bytes.writeUInt32BE(id, 1)
  return bytes
}

function short(text: string): Buffer {
  const bytes = Buffer.from(text).subarray(0, contextMost)
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}

function readShort(bytes: Buffer, at: number): { text: string; end: number } {
  const length = bytes.readUInt8(at)
  if (at + 1 + length > bytes.length) throw new RangeError('a text that is cut off')
  return { text: bytes.subarray(at + 1, at + 1 + length).toString(), end: at + 1 + length }
}
