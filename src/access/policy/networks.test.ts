import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isWithin, readAddress, readNetwork } from './networks.ts'

const within = (address: string, network: string) => {
  const [found, stated] = [readAddress(address), readNetwork(network)]
  assert.ok(found && stated, `${address} ${network}`)
  return isWithin(found, stated)
}

test('addresses lie in networks as they should', () => {
  const cases: [string, string, boolean][] = [
    ['192.0.2.17', '192.0.2.0/24', true],
    ['192.0.3.17', '192.0.2.0/24', false],
    ['192.0.2.17', '192.0.2.17', true],
    ['192.0.2.17', '0.0.0.0/0', true],
    ['192.0.2.130', '192.0.2.128/25', true],
    ['192.0.2.127', '192.0.2.128/25', false],
    ['::ffff:192.0.2.17', '192.0.2.0/24', true],
    ['192.0.2.17', '::ffff:192.0.2.0/120', true],
    ['2001:db8::1', '2001:db8::/32', true],
    ['2001:db9::1', '2001:db8::/32', false],
    ['fe80::1%eth0', 'fe80::/10', true],
    ['::1', '::1', true],
    ['2001:db8:0:0:0:0:0:1', '2001:DB8::1/128', true],
    ['2001:db8::1', '0.0.0.0/0', false],
    ['192.0.2.1', '::/0', true],
  ]
  for (const [address, network, expected] of cases)
    assert.equal(within(address, network), expected, `${address} in ${network}`)
})

test('what is no address and no network is not taken for one', () => {
  for (const text of [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.4 ',
    ':::',
    '1::2::3',
    '12345::',
    'g::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '::1.2.3.4.5',
  ])
    assert.equal(readAddress(text), undefined, text)
  for (const text of ['192.0.2.0/33', '192.0.2.0/-1', '192.0.2.0/', '::/129', '::/1/2', '192.0.2.0/x'])
    assert.equal(readNetwork(text), undefined, text)
})

test('an address is in the network of any of its own prefixes, and not when a bit of the prefix is turned', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.integer({ min: 1, max: 32 }), fc.nat(31), (address, bits, turned) => {
      const at = turned % bits
      assert.ok(within(address, `${address}/${bits}`))
      const other = address.split('.').map(Number)
      other[at >> 3] = (other[at >> 3] as number) ^ (0x80 >> (at & 7))
      assert.ok(!within(other.join('.'), `${address}/${bits}`))
    }),
  )
  fc.assert(fc.property(fc.ipV6(), (address) => assert.ok(readAddress(address), address)))
})
