import { Socket } from 'node:net'

/** What Node keeps of a connection. It is not public, so it is looked at before it is used. */
type Inner = { _handle: { useUserBuffer?: unknown; readStart?: unknown } | null }

/**
 * Lets the system write what comes into memory of our choice. Node has that (`onread`) for connections that it makes, not for
 * those that it accepts; so the accepted connection, or the TLS in it, gets another socket. Where Node's inside is not as expected, or `direct` is
 * not wanted, its chunks are copied: the same, slower.
 * @param landed so many bytes came there. @returns whether to go on reading; `resume` takes it up again
 */
export function openSocket(
  accepted: Socket,
  direct: boolean,
  next: () => Uint8Array,
  landed: (length: number, where: Uint8Array) => boolean,
): Socket {
  const inner = accepted as unknown as Inner
  const handle = inner._handle
  const known = typeof handle?.useUserBuffer === 'function' && typeof handle.readStart === 'function'
  // What has been read already, behind a handshake for instance, would be lost.
  if (direct && known && accepted.readableLength === 0) {
    inner._handle = null
    const options = { handle, onread: { buffer: next, callback: landed }, allowHalfOpen: true }
    const socket = new Socket(options as unknown as ConstructorParameters<typeof Socket>[0])
    // The server counts the connection until the socket that it made is gone.
    socket.once('close', () => accepted.destroy())
    return socket
  }
  accepted.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; ) {
      const where = next()
      const copied = chunk.copy(where, 0, at)
      at += copied
      const more = landed(copied, where)
      if (more) continue
      accepted.pause()
      if (at < chunk.length) accepted.unshift(chunk.subarray(at))
      return
    }
  })
  return accepted
}
