import assert from 'node:assert/strict'
import { test } from 'node:test'
import { elementsOf, readXml, readXmlList, textOf, writeXml } from './xml.ts'

test('quotes by number, blanks at the ends, and other signs are read as they were meant', () => {
  const root = readXml(
    '<?xml version="1.0"?><Delete xmlns="x"><Object><Key> a&amp;b&lt;&#x4e;&#228; </Key><ETag>&#34;abc&#34;</ETag></Object></Delete>',
    'Delete',
  )
  const [object] = elementsOf(root, 'Object')
  assert.equal(textOf(object ?? {}, 'Key'), ' a&b<Nä ')
  assert.equal(textOf(object ?? {}, 'ETag'), '"abc"')
})

test('what is no XML, has another root, or a document type, is refused', () => {
  for (const text of ['', 'x', '<a>', '<Other/>', '<!DOCTYPE Delete [<!ENTITY e "x">]><Delete>&e;</Delete>']) {
    assert.throws(() => readXml(text, 'Delete'), { code: 's3.xml' }, text)
  }
  assert.deepEqual(readXml('<Delete></Delete>', 'Delete'), {})
})

test('lists repeat, what is undefined is left out, signs are escaped, attributes stand in the opening tag alone', () => {
  const text = Buffer.from(writeXml('R', { A: [1, 2], B: undefined, C: '<&>"\n', 'D x="1"': 'y' })).toString()
  assert.equal(
    text,
    '<?xml version="1.0" encoding="UTF-8"?>\n<R xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><A>1</A><A>2</A><C>&lt;&amp;&gt;&quot;&#xa;</C><D x="1">y</D></R>',
  )
})

test('a long list is read in pieces, and is the same list', async () => {
  const parts = Array.from({ length: 3000 }, (_, at) => `<c:Part ><c:PartNumber>${at}</c:PartNumber></c:Part>\n`)
  const text = `<?xml version="1.0"?>\n<c:List xmlns:c="x">${parts.join('')}</c:List>\n`
  let pauses = 0
  const read = (written: string) => readXmlList(written, 'List', 'Part', async () => void pauses++)
  const numbers = (await read(text)).map((part) => textOf(part, 'PartNumber'))
  assert.deepEqual(
    numbers,
    parts.map((_, at) => String(at)),
  )
  assert.ok(pauses > 2)
  for (const broken of [
    text.replace('<c:PartNumber>2000<', '<c:PartNumber>2000<<'),
    text.slice(0, -20),
    `${text}${text}`,
  ])
    await assert.rejects(read(broken), { code: 's3.xml' })
  assert.deepEqual(await read('<List/>'), [])
})
