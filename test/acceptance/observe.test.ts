import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import * as s3 from '@aws-sdk/client-s3'
import { type Pelago, startPelago } from './start-pelago.ts'

const root = join(import.meta.dirname, '..', '..')
const Bucket = 'holiday-photos-of-nobody'
const Key = 'letter-to-the-doctor'

type Ports = { ports: Record<string, number> }
type Dashboard = { panels: { title: string; targets?: { expr: string }[] }[] }

/** What PromQL itself knows, and `up`, which Prometheus makes. */
const wordsOfPromql = new Set(
  'sum by rate max min count topk bottomk or and time vector histogram_quantile increase bool up job le'.split(' '),
)

/** Names of metrics in a query, and the labels that it wants of each. */
function namesOf(query: string): { metrics: string[]; labels: string[] } {
  const labels = [...query.matchAll(/(?:by \(([^)]*)\))|(?:\{([^}]*)\})/g)].flatMap(([, by, matched]) =>
    by !== undefined
      ? by.split(',').map((label) => label.trim())
      : (matched ?? '').split(',').map((pair) => pair.split(/[=!]/)[0]?.trim() ?? ''),
  )
  const bare = query.replace(/by \([^)]*\)|\{[^}]*\}|\[[^\]]*\]|"[^"]*"/g, ' ')
  const words = bare.match(/[a-z_][a-z0-9_]*/g) ?? []
  return { metrics: words.filter((word) => !wordsOfPromql.has(word)), labels }
}

describe('what Pelago says about itself', () => {
  let pelago: Pelago
  let ports: Record<string, number>
  /** Lines of every process. */
  let lines: string[]

  before(async () => {
    pelago = await startPelago()
    ;({ ports } = JSON.parse(await readFile(join(pelago.data, 'ports.json'), 'utf8')) as Ports)
    const credentials = { accessKeyId: pelago.accessKeyId, secretAccessKey: pelago.secretAccessKey }
    const client = new s3.S3Client({ endpoint: pelago.s3, region: pelago.region, credentials, forcePathStyle: true })
    await client.send(new s3.CreateBucketCommand({ Bucket }))
    for (let at = 0; at < 5; at++) await client.send(new s3.PutObjectCommand({ Bucket, Key, Body: `letter ${at}` }))
    await client.send(new s3.PutObjectCommand({ Bucket, Key: 'large', Body: Buffer.alloc(3 * 1024 * 1024, 1) }))
    const { Body } = await client.send(new s3.GetObjectCommand({ Bucket, Key: 'large' }))
    assert.equal((await Body?.transformToByteArray())?.length, 3 * 1024 * 1024)
    await assert.rejects(client.send(new s3.GetObjectCommand({ Bucket, Key: 'absent' })))
    await pelago.cli('status')
    client.destroy()
    const texts = await Promise.all(roles().map(async (name) => (await ask(name, '/metrics')).text))
    lines = texts.flatMap((text) => text.split('\n'))
  })
  after(() => pelago?.close())

  const roles = () => Object.keys(ports).filter((name) => name !== 's3')
  const ask = async (name: string, path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${ports[name]}${path}`, { headers })
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text() }
  }
  /** Labels by the name of what was measured; of lines without a value, those of the metric's description. */
  const measured = () => {
    const known = new Map<string, Set<string>>()
    for (const line of lines) {
      const [, name, labels] = /^(?:# TYPE )?([a-z_][a-z0-9_]*)(?:\{([^}]*)\})? /.exec(line) ?? []
      if (name === undefined) continue
      const found = known.get(name) ?? new Set()
      for (const [, label] of (labels ?? '').matchAll(/([a-z_]+)="/g)) found.add(label as string)
      known.set(name, found)
    }
    return known
  }
  const valueOf = (start: string) =>
    Number(
      lines
        .find((line) => line.startsWith(start))
        ?.split(' ')
        .at(-1),
    )

  test('every role says that it lives, that it can work, and its numbers', async () => {
    for (const name of roles()) {
      assert.deepEqual(JSON.parse((await ask(name, '/healthz')).text), { ok: true }, name)
      const ready = await ask(name, '/readyz')
      assert.equal(ready.status, 200, `${name}: ${ready.text}`)
      assert.equal((JSON.parse(ready.text) as { ready: boolean }).ready, true)
      const metrics = await ask(name, '/metrics')
      assert.match(metrics.type ?? '', /^text\/plain; version=0\.0\.4/)
      assert.match(metrics.text, /^pelago_build_info\{role="/m)
    }
  })

  test('metrics without a token are for this machine alone, not for whoever comes through a proxy', async () => {
    for (const name of ['gateway', 'alster'])
      assert.equal((await ask(name, '/metrics', { 'x-forwarded-for': '192.0.2.1' })).status, 403)
  })

  test('numbers are those of what was done', () => {
    assert.equal(valueOf('pelago_s3_requests_total{operation="PutObject",status="200"}'), 6)
    assert.equal(valueOf('pelago_s3_requests_total{operation="GetObject",status="404"}'), 1)
    assert.equal(valueOf('pelago_s3_request_seconds_count{operation="PutObject"}'), 6)
    assert.ok(valueOf('pelago_s3_received_bytes_total') >= 3 * 1024 * 1024)
    assert.ok(valueOf('pelago_s3_sent_bytes_total') >= 3 * 1024 * 1024)
    assert.equal(valueOf('pelago_objects'), 2)
    assert.ok(valueOf('pelago_storage_packs_total{outcome="committed"}') >= 1)
    assert.ok(valueOf('pelago_segments{margin="2"}') >= 1)
    assert.ok(valueOf('pelago_database_transactions_total{database="index"}') >= 6)
    assert.ok(valueOf('pelago_shard_requests_total{provider="alster",request="status",outcome="good"}') >= 1)
    assert.ok(valueOf('pelago_node_received_bytes_total') > 0)
  })

  test('no label tells a bucket, an object, a key or a tenant', () => {
    const told = lines.join('\n')
    for (const word of [Bucket, Key, 'large', pelago.accessKeyId, pelago.secretAccessKey, 'demo', 'admin'])
      assert.ok(!told.includes(word), word)
  })

  test('the dashboard and the alerts ask for metrics and labels that exist', async () => {
    const dashboard = JSON.parse(await readFile(join(root, 'packaging', 'grafana', 'pelago.json'), 'utf8')) as Dashboard
    const alerts = await readFile(join(root, 'packaging', 'prometheus', 'alerts.yml'), 'utf8')
    const rules = [...alerts.matchAll(/expr: (?:>-\n((?: {10}.*\n)+)|(.*)\n)/g)].map(
      ([, folded, plain]) => folded ?? plain,
    )
    assert.equal(rules.length, alerts.match(/- alert:/g)?.length)
    assert.equal(rules.length, alerts.match(/^ +do: '.{30,}'$/gm)?.length, 'each alert says what to do')
    const panels = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
    assert.ok(panels.length > 20)
    const known = measured()
    for (const query of [...panels, ...(rules as string[])]) {
      const { metrics, labels } = namesOf(query)
      const found = metrics.map((name) => known.get(name))
      for (const [at, name] of metrics.entries()) assert.ok(found[at], `${name} in: ${query}`)
      const usable = new Set([...found.flatMap((of) => [...(of ?? [])]), 'instance', 'job'])
      // What has not happened yet has no line, and so shows no labels.
      if (found.some((of) => of?.size === 0 && labels.length > 0)) continue
      for (const label of labels) assert.ok(usable.has(label), `label ${label} in: ${query}`)
    }
  })
})
