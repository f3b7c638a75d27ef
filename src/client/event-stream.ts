import { clientError } from './errors.ts'

export type StreamedEvent = { name: string; id: string | undefined; data: string }

const lineMost = 16 * 1024 * 1024

/**
 * Reads server-sent events out of bytes that come in any pieces.
 * @param heard called for every piece, also for one that only says that the stream lives
 * @throws stream.broken when an event is larger than anybody sends
 * Source: HTML Living Standard, 9.2.6 (interpreting an event stream).
 */
export async function* eventsOf(body: AsyncIterable<Uint8Array>, heard: () => void): AsyncGenerator<StreamedEvent> {
  const decoder = new TextDecoder()
  let [rest, name, data] = ['', '', '']
  let id: string | undefined
  for await (const piece of body) {
    heard()
    rest += decoder.decode(piece, { stream: true })
    if (rest.length + data.length > lineMost) throw clientError('stream.broken', {})
    // A lone CR at the end may be half of a line break.
    const lines = rest.split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line === '') {
        if (data !== '') yield { name: name || 'message', id, data: data.slice(0, -1) }
        ;[name, data] = ['', '']
        continue
      }
      const colon = line.indexOf(':')
      if (colon === 0) continue
      const field = colon === -1 ? line : line.slice(0, colon)
      const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
      if (field === 'data') data += `${value}\n`
      else if (field === 'event') name = value
      else if (field === 'id' && !value.includes('\0')) id = value
    }
  }
}
