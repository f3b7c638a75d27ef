import { openClient, type StreamTransport, type Transport } from '#client'

/** A cookie says who asks; this header, which no foreign page can send, says that the request comes from here. */
const ours = { 'x-pelago': '1' }

const send: Transport = async ({ method, path, headers, body, signal }) => {
  const answer = await fetch(path, {
    method,
    headers: { ...headers, ...ours, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body }),
    ...(signal && { signal }),
    redirect: 'error',
  })
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() }
}

const stream: StreamTransport = async ({ method, path, headers, signal }) => {
  const answer = await fetch(path, { method, headers: { ...headers, ...ours }, ...(signal && { signal }) })
  return { status: answer.status, body: read(answer.body) }
}

async function* read(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader()
  if (!reader) return
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel()
  }
}

/** The browser's way to the API: same origin, same contract as the command line. */
export const client = openClient({
  send,
  stream,
  clock: {
    now: () => Date.now(),
    after(ms, act) {
      const timer = setTimeout(act, ms)
      return () => clearTimeout(timer)
    },
  },
  random: { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
})
