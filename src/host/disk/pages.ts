/** Bytes gathered for one write to the disk. */
export const pagedBytes = 1024 * 1024
/** Memory for uploads that run at the same time; more of them gather in memory of their own, and write a little slower. */
const slabBytes = 64 * 1024 * 1024
const wasmPage = 65_536

/** What the system asks of memory, offsets and lengths that go past its cache; no disk in use asks for more. */
export const directBytes = 4096

let slab: ArrayBuffer | undefined
const free: Buffer[] = []

/**
 * A buffer of `pagedBytes` that begins on a page of memory, as a write past the system's cache needs it. Only the memory of
 * WebAssembly is sure to begin so; it is cut into buffers that are used again and again.
 */
export function takePages(): Buffer {
  if (!slab) {
    slab = new WebAssembly.Memory({ initial: slabBytes / wasmPage, maximum: slabBytes / wasmPage }).buffer
    for (let at = 0; at < slabBytes; at += pagedBytes) free.push(Buffer.from(slab, at, pagedBytes))
  }
  return free.pop() ?? Buffer.allocUnsafeSlow(pagedBytes)
}

/** Gives a buffer back that nobody reads or writes any more. */
export function givePages(buffer: Buffer): void {
  if (buffer.buffer === slab) free.push(buffer)
}

/** Whether memory and length of these bytes are fit to go past the system's cache. */
export function isPaged(bytes: Uint8Array): boolean {
  return bytes.buffer === slab && bytes.byteOffset % directBytes === 0 && bytes.length % directBytes === 0
}
