import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { type Problem, problemOf } from '#api'
import type { Clock } from '#kernel'
import type { StreamEvent } from '#roles'
import type { ApiLimits } from './api-limits.ts'

/** So long a reader whose connection broke waits before he comes again, milliseconds. */
const againMs = 2000

type Ports = { clock: Clock; limits: ApiLimits; trace: string; signal: AbortSignal }

/**
 * Sends events until they end, the reader leaves, or he may not listen any more. The next one is asked for when the last one has been
 * taken, so nothing piles up for a slow reader.
 * @param still whether the reader may go on listening
 * @returns the problem that ended it, for the log
 * Source: HTML Living Standard, 9.2 (server-sent events).
 */
export async function sendEvents(
  { clock, limits, trace, signal }: Ports,
  response: ServerResponse,
  events: AsyncIterable<StreamEvent>,
  still: () => Promise<boolean>,
): Promise<Problem | undefined> {
  const over = new AbortController()
  const end = () => over.abort()
  if (signal.aborted) end()
  signal.addEventListener('abort', end, { once: true })
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // Proxies that hold answers back would hold back everything.
    'x-accel-buffering': 'no',
  })
  response.write(`retry: ${againMs}\n\n`)
  let cancel = () => {}
  const beat = () => {
    cancel = clock.after(limits.heartbeatMs, () => {
      if (!response.writableNeedDrain) response.write(':\n\n')
      still().then(
        (may) => (may ? over.signal.aborted || beat() : end()),
        () => end(),
      )
    })
  }
  beat()
  const iterator = events[Symbol.asyncIterator]()
  const aborted = new Promise<'over'>((resolve) => {
    if (over.signal.aborted) resolve('over')
    over.signal.addEventListener('abort', () => resolve('over'), { once: true })
  })
  try {
    while (!over.signal.aborted) {
      const step = await Promise.race([iterator.next(), aborted])
      if (step === 'over' || step.done) break
      if (!response.write(eventText(step.value)) && !(await drained(clock, response, limits.stuckMs, over.signal))) {
        response.destroy()
        break
      }
    }
    return undefined
  } catch (error) {
    const problem = problemOf(error, trace)
    response.write(`event: problem\ndata: ${JSON.stringify(problem)}\n\n`)
    return problem
  } finally {
    cancel()
    signal.removeEventListener('abort', end)
    end()
    // It may wait for something that never comes; nobody waits for it.
    iterator.return?.().catch(() => 'it has said all that it had to')
    response.end()
  }
}

/** @returns false when nothing was taken for too long */
async function drained(clock: Clock, response: ServerResponse, ms: number, signal: AbortSignal): Promise<boolean> {
  const limit = new AbortController()
  const cancel = clock.after(ms, () => limit.abort())
  try {
    await once(response, 'drain', { signal: AbortSignal.any([limit.signal, signal]) })
    return true
  } catch {
    return !limit.signal.aborted
  } finally {
    cancel()
  }
}

/** JSON has no line breaks of its own, so one line of data is enough. */
function eventText({ id, data }: StreamEvent): string {
  return `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`
}
