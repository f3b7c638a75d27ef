/** What clients store: bytes that follow from a number, so that a checker knows them without keeping them. */
export type Content = { id: number; size: number }

/** Stands in every 256 bytes; a provider must never see it. */
export const plaintextMark = Buffer.from('this is what nobody may read!!')

export function bytesOf({ id, size }: Content): Uint8Array {
  const bytes = Buffer.alloc(size)
  let state = (id * 2654435761) >>> 0
  for (let at = 0; at + 4 <= size; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes.writeUInt32LE(state, at)
  }
  for (let at = 0; at + plaintextMark.length <= size; at += 256) plaintextMark.copy(bytes, at)
  return bytes
}

/** The bytes in chunks, as a network would bring them. */
export async function* chunksOf(bytes: Uint8Array, chunk: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunk) yield new Uint8Array(bytes.subarray(at, at + chunk))
}
