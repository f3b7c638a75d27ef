import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { openReplayGuard } from './replay-guard.ts'
import {
  openBodyTag,
  rawPublicKey,
  refusalOf,
  requestMs,
  type ShardRequest,
  sharedKey,
  signShardRequest,
} from './shard-auth.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const privateKey = (byte: number) => {
  const der = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), Buffer.alloc(32, byte)])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}
const [gateway, provider] = [privateKey(1), privateKey(2)]
const gatewayPublic = rawPublicKey(createPublicKey(gateway))
const providerPublic = rawPublicKey(createPublicKey(provider))
const key = sharedKey(gateway, providerPublic, gatewayPublic, providerPublic)
const now = 1_800_000_000_000
const request: ShardRequest = {
  method: 'PUT',
  target: '/v1/shards/00112233445566778899aabbccddeeff',
  length: 1016,
  expires: now + requestMs,
  nonce: '000102030405060708090a0b0c0d0e0f',
  gateway: 'g1',
}
const signature = signShardRequest(key, request)

test('the vector of docs/formats/shard-protocol.md, computed by another implementation too', () => {
  assert.equal(hex(gatewayPublic), 'a4e09292b651c278b9772c569f5fa9bb13d906b46ab68c9df9dc2b4409f8a209')
  assert.equal(hex(providerPublic), 'ce8d3ad1ccb633ec7b70c17814a5c76ecd029685050d344745ba05870e587d59')
  assert.equal(hex(key), '1add7815cd4b4c803bc4fd20f514e69ecfbfe93caeca41814e4dec78b9bc7e84')
  assert.equal(signature, '3d69190bb41f4979b8347337851268e9532a8a16710a3c18a389954daf41e4e0')
  const tag = openBodyTag(key, request.nonce)
  tag.update(Buffer.alloc(1000, 0x5a))
  assert.equal(hex(tag.digest()), '883f0d5f5bad24a958f30b4444b1b187')
})

test('both sides compute one key, and another pair another key', () => {
  assert.deepEqual(sharedKey(provider, gatewayPublic, gatewayPublic, providerPublic), key)
  const other = generateKeyPairSync('x25519')
  const otherPublic = rawPublicKey(other.publicKey)
  assert.notDeepEqual(sharedKey(other.privateKey, providerPublic, otherPublic, providerPublic), key)
  // A public key that gives everybody the same secret is refused (RFC 7748 section 6.1).
  assert.throws(() => sharedKey(gateway, new Uint8Array(32), gatewayPublic, new Uint8Array(32)))
})

test('a request is good while it lasts', () => {
  assert.equal(refusalOf(key, request, signature, now), undefined)
  assert.equal(refusalOf(key, request, signature, request.expires), undefined)
  assert.match(refusalOf(key, request, signature, request.expires + 1) ?? '', /has expired/)
  assert.match(refusalOf(key, request, signature, now - requestMs - 1) ?? '', /too long/)
})

test('nothing of a request can be changed', () => {
  const changed: Partial<ShardRequest>[] = [
    { method: 'GET' },
    { target: `${request.target}?offset=1` },
    { length: request.length + 1 },
    { expires: request.expires + 1 },
    { nonce: request.nonce.replace('0', '1') },
    { gateway: 'g2' },
  ]
  for (const change of changed) {
    assert.equal(refusalOf(key, { ...request, ...change }, signature, now), 'the signature is wrong')
  }
  for (const wrong of [
    '',
    'zz',
    signature.slice(2),
    signature.toUpperCase(),
    `${signature}00`,
    `${signature.slice(1)}x`,
  ]) {
    assert.equal(refusalOf(key, request, wrong, now), 'the signature is wrong')
  }
})

test('a gateway cannot sign what would be good for ever', () => {
  for (const expires of [Number.NaN, Number.POSITIVE_INFINITY, 1e300]) {
    const forever = { ...request, expires }
    assert.ok(refusalOf(key, forever, signShardRequest(key, forever), now))
  }
  const bare = { ...request, nonce: '' }
  assert.match(refusalOf(key, bare, signShardRequest(key, bare), now) ?? '', /nonce/)
})

test('the tag of a body does not depend on how it is cut, and on nothing but its bytes, key and nonce', () => {
  const whole = (bytes: Uint8Array, nonce = request.nonce) => {
    const tag = openBodyTag(key, nonce)
    tag.update(bytes)
    return hex(tag.digest())
  }
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.array(fc.nat(200)), fc.nat(), (bytes, cuts, at) => {
      const tag = openBodyTag(key, request.nonce)
      let from = 0
      for (const cut of [...cuts, bytes.length].sort((a, b) => a - b)) {
        if (cut > bytes.length || cut < from) continue
        tag.update(bytes.subarray(from, cut))
        from = cut
      }
      assert.equal(hex(tag.digest()), whole(bytes))
      const bent = bytes.slice()
      bent[at % bent.length] = (bent[at % bent.length] as number) ^ 1
      assert.notEqual(whole(bent), whole(bytes))
      assert.notEqual(whole(bytes, request.nonce.replace('0', '1')), whole(bytes))
    }),
  )
})

test('a nonce is admitted once while it lasts, and the memory of it is bounded', () => {
  const guard = openReplayGuard(3)
  assert.ok(guard.admit('a', 10, 0))
  assert.ok(!guard.admit('a', 10, 5))
  assert.ok(!guard.admit('a', 10, 10))
  assert.ok(guard.admit('b', 20, 11))
  assert.ok(guard.admit('c', 20, 11))
  assert.ok(guard.admit('d', 20, 11))
  assert.ok(!guard.admit('b', 20, 11))
  // One more than it remembers: the oldest goes, nobody is refused.
  assert.ok(guard.admit('e', 20, 11))
  assert.ok(guard.admit('b', 20, 11))
})
