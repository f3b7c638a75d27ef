import { STATUS_CODES, validateHeaderValue } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '#kernel'

export type Headers = Readonly<Record<string, string | number>>

/** Answers up to this size go out in one piece with their head, and together with those of other connections. */
export const joinedMost = 16 * 1024

/** So many answers are written together at the most: the first one must not wait for long. */
const togetherMost = 16
const late: (() => void)[] = []

/**
 * Writes an answer when everything that came in this turn of the loop has been looked at, or when there are enough of them.
 * A write wakes whoever waits for it, where he runs on the same machine, and that costs more than the write: of several in
 * a row only the first one does.
 */
export function together(write: () => void): void {
  late.push(write)
  if (late.length >= togetherMost) writeLate()
  else if (late.length === 1) setImmediate(writeLate)
}

/** Writes now what waits to be written. */
export function writeLate(): void {
  for (const write of late.splice(0)) write()
}

/** Where answers are joined, one after the other; another when the system has not taken all of the last one at once. */
let joining = Buffer.allocUnsafeSlow(joinedMost)

/** Head and body in one write. Together they have at most `joinedMost` bytes. */
export function writeJoined(socket: Socket, text: string, bytes: Uint8Array | undefined): void {
  if (!bytes || bytes.length === 0) return void socket.write(text, 'latin1')
  joining.write(text, 'latin1')
  joining.set(bytes, text.length)
  socket.write(joining.subarray(0, text.length + bytes.length))
  if (socket.writableLength > 0) joining = Buffer.allocUnsafeSlow(joinedMost)
}

/** @throws TypeError for a value that no header can have, so that nobody writes headers of his own into an answer */
export function headText(clock: Clock, status: number, headers: Headers, keep: boolean): string {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ndate: ${dateText(clock.now())}\r\n`
  for (const name in headers) {
    const value = String(headers[name])
    if (unfit.test(value)) validateHeaderValue(name, value)
    text += `${name}: ${value}\r\n`
  }
  return `${text}${keep ? '' : 'connection: close\r\n'}\r\n`
}

const unfit = /[^\t\x20-\x7e\x80-\xff]/

let [dateSecond, dateShown] = [-1, '']

/** Written once a second, not once an answer. */
function dateText(now: number): string {
  const second = Math.floor(now / 1000)
  if (second !== dateSecond) [dateSecond, dateShown] = [second, new Date(now).toUTCString()]
  return dateShown
}
