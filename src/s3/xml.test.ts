import assert from 'node:assert/strict'
import { test } from 'node:test'
import { elementsOf, readXml, textOf, writeXml } from './xml.ts'

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
