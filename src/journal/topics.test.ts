import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appendFact } from './fact.store.ts'
import { admit, topics } from './topics.ts'

const journal = { nameKey: Buffer.alloc(32, 1) }
const personal = ['Anna Müller', 'anna@example.org', 'müller/scheidung.pdf', '+49 170 1234567', '10.1.2.3']

/** What a caller could hand over for a kind, and what never may be in the log. */
const fitting: Record<string, unknown> = {
  id: 'a'.repeat(32),
  member: 'isar',
  hidden: personal[0],
  count: 3,
  digest: 'b'.repeat(64),
  countries: ['DE', 'EU'],
  code: 'bucket.missing',
  version: '1.2.3',
}
type Kind = { kind: string; of?: readonly string[] }
const valueOf = (kind: Kind) => (kind.kind === 'word' ? kind.of?.[0] : fitting[kind.kind])
const all = Object.entries(topics).map(([topic, shape]) => ({
  topic,
  about: shape.about as Kind,
  facts: shape.facts as Record<string, Kind>,
}))

function written(topic: string, about: unknown, facts: Record<string, unknown>, actor = 'system', tenant = ''): string {
  const { value } = appendFact(journal, { topic, about, actor, tenant, at: 1, facts } as never).next()
  return value?.values[0] as string
}

test('every topic takes its facts, and nothing personal is in clear in what is written', () => {
  for (const { topic, about, facts } of all) {
    const given = Object.fromEntries(Object.entries(facts).map(([name, kind]) => [name, valueOf(kind)]))
    const text = written(topic, valueOf(about), given, 'Anna Müller', 'Müller und Söhne')
    assert.doesNotMatch(text, /Anna|M.ller/)
    assert.deepEqual(Object.keys((JSON.parse(text) as { facts: object }).facts).sort(), Object.keys(facts).sort())
  }
})

test('no topic has a place for free text: personal data is hidden or refused, wherever it is put', () => {
  let places = 0
  for (const { topic, about, facts } of all) {
    const given = Object.fromEntries(Object.entries(facts).map(([name, kind]) => [name, valueOf(kind)]))
    for (const text of personal) {
      for (const name of Object.keys(facts)) {
        for (const value of [text, [text], { text }]) {
          places++
          const put = () => written(topic, valueOf(about), { ...given, [name]: value })
          if (facts[name]?.kind === 'hidden' && value === text) assert.ok(!put().includes(text))
          else assert.throws(put, { code: 'fact.unfit' }, `${topic} ${name}`)
        }
      }
      if (about.kind !== 'hidden') assert.throws(() => written(topic, text, given), { code: 'fact.unfit' })
      assert.throws(() => written(topic, valueOf(about), { ...given, note: text }), { code: 'fact.unfit' })
    }
    for (const name of Object.keys(facts)) {
      const { [name]: _, ...rest } = given
      assert.throws(() => written(topic, valueOf(about), rest), { code: 'fact.unfit' }, `${topic} without ${name}`)
    }
  }
  assert.ok(places > 100)
  assert.throws(() => admit('constructor', '', {}, String), { code: 'fact.unfit' })
})

test('people are opaque: an identifier stays, whatever else is hidden, and not alike for two tenants', () => {
  const actorOf = (actor: string, tenant = 'demo') =>
    (JSON.parse(written('bucket.deleted', fitting.id, { name: 'x' }, actor, tenant)) as { actor: string }).actor
  assert.equal(actorOf('person-0123456789abcdef'), 'person-0123456789abcdef')
  assert.equal(actorOf('operator'), 'operator')
  for (const text of [...personal, 'anna', 'anna-mueller']) assert.match(actorOf(text), /^hidden:[0-9a-f]{32}$/)
  assert.equal(actorOf('anna'), actorOf('anna'))
  assert.notEqual(actorOf('anna', 'one'), actorOf('anna', 'two'))
})
