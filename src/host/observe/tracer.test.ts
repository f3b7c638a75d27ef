import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openRandom } from '../random.ts'
import { openMetrics } from './open-metrics.ts'
import { type TracedSpan, tracesBody } from './otlp.ts'
import { openTraceExport } from './trace-export.ts'
import { openTracer, type TracerConfig } from './tracer.ts'

function traces(config: Partial<TracerConfig> = {}) {
  const kept: TracedSpan[][] = []
  let lost = 0
  const ports = { random: openRandom(), keep: (spans: TracedSpan[]) => void kept.push(spans), lost: () => void lost++ }
  const tracer = openTracer(ports, { sample: 0, slowMs: 50, providers: 'unlinked', ...config })
  return { tracer, kept, lost: () => lost }
}

const client = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`

test('what is quick and good is forgotten; what is slow or failed is kept', async () => {
  const { tracer, kept } = traces()
  await tracer.request('quick', undefined, async () => 'done')
  assert.equal(kept.length, 0)
  await tracer.request('slow', undefined, () => sleep(60))
  await assert.rejects(tracer.request('failed', undefined, async () => Promise.reject(new TypeError('secret words'))))
  assert.deepEqual(
    kept.map(([span]) => [span?.name, span?.failed]),
    [
      ['slow', undefined],
      ['failed', 'TypeError'],
    ],
  )
})

test('failures in a row keep no more traces than may be in one second', async () => {
  const { tracer, kept, lost } = traces()
  for (let at = 0; at < 200; at++) await tracer.request('bad', undefined, async (span) => span.end(new Error('x')))
  assert.ok(kept.length <= 40 && kept.length >= 20, `${kept.length} were kept`)
  assert.equal(kept.length + lost(), 200)
})

test('a client may ask for a trace, but not for any number of them', async () => {
  const { tracer, kept } = traces()
  await tracer.request('asked', client, async () => 'done')
  assert.equal(kept[0]?.[0]?.traceId, 'ab'.repeat(16))
  assert.equal(kept[0]?.[0]?.parentSpanId, 'cd'.repeat(8))
  for (let at = 0; at < 200; at++) await tracer.request('asked', client, async () => 'done')
  assert.ok(kept.length <= 41, `${kept.length} were kept`)
  for (const odd of ['00-xyz', `00-${'0'.repeat(32)}-${'cd'.repeat(8)}-01`, `${client}-more`, client.toUpperCase()]) {
    await tracer.request('odd', odd, () => sleep(60))
    const last = kept.at(-1)?.[0]
    assert.ok(last?.name === 'odd' && last.parentSpanId === '' && /^[0-9a-f]{32}$/.test(last.traceId), odd)
  }
})

test('a request with many steps does not grow without end', async () => {
  const { tracer, kept } = traces({ sample: 1 })
  await tracer.request('long', undefined, async () => {
    for (let at = 0; at < 5000; at++) tracer.begin('step')?.end()
  })
  assert.ok((kept[0]?.length ?? 0) <= 501)
  const first = kept[0]?.find(({ name }) => name === 'long')
  assert.equal(first?.attributes['pelago.spans.dropped'], 4500)
})

test('what is told to providers', async () => {
  const told = async (config: Partial<TracerConfig>) => {
    const { tracer } = traces(config)
    return tracer.request('x', client, async () => [tracer.ask('shard.put')?.header, tracer.ask('shard.put')?.header])
  }
  const [one, two] = await told({})
  assert.match(one ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
  assert.ok(one?.slice(3, 35) !== two?.slice(3, 35) && !one?.includes('ab'.repeat(16)))
  const [linked] = await told({ providers: 'linked', sample: 1 })
  assert.match(linked ?? '', new RegExp(`^00-${'ab'.repeat(16)}-[0-9a-f]{16}-01$`))
  assert.deepEqual(await told({ providers: 'none' }), [undefined, undefined])
  assert.equal(traces().tracer.ask('outside'), undefined)
})

test('spans are written as trace.proto and its JSON mapping have them', () => {
  const span: TracedSpan = {
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
    parentSpanId: 'eee19b7ec3c1b173',
    name: 'shard.put',
    kind: 'client',
    from: 1_544_712_660_000.25,
    to: 1_544_712_661_000,
    attributes: { text: 'a', whole: 7, part: 0.5 },
    link: { traceId: 'aa'.repeat(16), spanId: 'bb'.repeat(8) },
    failed: 'shard.full',
  }
  assert.deepEqual(JSON.parse(tracesBody({ service: 'pelago-gateway', version: '1', instance: 'g' }, [span])), {
    resourceSpans: [
      {
        resource: {
          attributes: [
            { key: 'service.name', value: { stringValue: 'pelago-gateway' } },
            { key: 'service.version', value: { stringValue: '1' } },
            { key: 'service.instance.id', value: { stringValue: 'g' } },
          ],
        },
        scopeSpans: [
          {
            scope: { name: 'pelago', version: '1' },
            spans: [
              {
                traceId: '5b8efff798038103d269b633813fc60c',
                spanId: 'eee19b7ec3c1b174',
                parentSpanId: 'eee19b7ec3c1b173',
                name: 'shard.put',
                kind: 3,
                startTimeUnixNano: '1544712660000250000',
                endTimeUnixNano: '1544712661000000000',
                attributes: [
                  { key: 'text', value: { stringValue: 'a' } },
                  { key: 'whole', value: { intValue: '7' } },
                  { key: 'part', value: { doubleValue: 0.5 } },
                ],
                links: [{ traceId: 'aa'.repeat(16), spanId: 'bb'.repeat(8) }],
                status: { code: 2, message: 'shard.full' },
              },
            ],
          },
        ],
      },
    ],
  })
})

test('a collector that does not answer fills a queue with an end, and what falls out is counted', async () => {
  const collector = createServer((request, response) => {
    request.resume()
    response.writeHead(400).end()
  })
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
  const metrics = openMetrics()
  const { port } = collector.address() as AddressInfo
  const resource = { service: 'x', version: '1', instance: 'x' }
  const sent = openTraceExport({ metrics, log: () => {} }, { endpoint: `http://127.0.0.1:${port}/`, resource })
  const span: TracedSpan = {
    ...{ traceId: 'aa', spanId: 'bb', parentSpanId: '', name: 'x', kind: 'server', from: 1, to: 2, attributes: {} },
  }
  for (let at = 0; at < 120; at++) sent.keep(Array.from({ length: 100 }, () => span))
  await sent.close()
  const text = await metrics.text()
  assert.match(text, /pelago_traces_spans_total\{outcome="full"\} 2000\n/)
  assert.match(text, /pelago_traces_spans_total\{outcome="refused"\} 10000\n/)
  await new Promise((resolve) => collector.close(resolve))
})
