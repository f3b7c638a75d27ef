import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Directory,
  defaultPolicy,
  demoPool,
  judge,
  margin,
  type Policy,
  parsePolicy,
  place,
  type Provider,
  replacement,
  signDirectory,
  survives,
  unsatisfiable,
  verifyDirectory,
} from './index.ts'

const providers: Provider[] = demoPool.map((facts, at) => ({
  ...facts,
  endpoint: `http://127.0.0.1:${4100 + at}`,
  publicKey: `${at}`.repeat(64),
  capacityBytes: 1e9,
}))
const directory: Directory = { version: 3, issuedAt: 1, expiresAt: 2, providers }
let state = 1
const random = {
  bytes: (length: number) =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state >>> 24
    }),
}
const choosing = { cost: () => 0, random }
const policyOf = (changes: Partial<Policy>): Policy => ({ ...defaultPolicy, ...changes })

test('the default policy refuses the one provider with a US owner and says so', () => {
  const { eligible, refused } = judge(directory, defaultPolicy)
  assert.equal(eligible.length, 6)
  assert.deepEqual(
    refused.map(({ provider }) => provider),
    ['shannon'],
  )
  assert.match(refused[0]?.reason ?? '', /Prairie Compute Inc\..*United States \(US\)/)
})

test('attestations and jurisdictions are judged, each with its reason', () => {
  const { eligible, refused } = judge(directory, policyOf({ attestations: ['C5'], jurisdictions: ['EU'] }))
  assert.deepEqual(
    eligible.map(({ id }) => id),
    ['alster', 'isar'],
  )
  assert.match(
    refused.find(({ provider }) => provider === 'reuss')?.reason ?? '',
    /Switzerland.*allows EU.*wants C5; it has none/,
  )
})

test('six providers give 4+2; each one fewer gives a narrower code, until the promise cannot be kept', () => {
  const { eligible } = judge(directory, defaultPolicy)
  const codes = [6, 5, 4, 3, 2].map((alive) => {
    const placed = place({ ...choosing, eligible: eligible.slice(0, alive), policy: defaultPolicy })
    return placed && `${placed.k}+${placed.m}`
  })
  assert.deepEqual(codes, ['4+2', '3+2', '2+2', '1+2', undefined])
})

test('nine providers give 6+3, three give 2+1, none lost gives one copy', () => {
  const many = Array.from({ length: 9 }, (_, at) => ({ ...(providers[0] as Provider), id: `p${at}`, owner: `o${at}` }))
  const codeOf = (count: number, lost: number) => {
    const policy = policyOf({ survive: { providers: lost, countries: 0 }, greatestShare: 1 })
    const placed = place({ ...choosing, eligible: many.slice(0, count), policy })
    return placed && `${placed.k}+${placed.m}`
  }
  assert.deepEqual([codeOf(9, 3), codeOf(3, 1), codeOf(9, 1), codeOf(1, 0)], ['6+3', '2+1', '2+1', '1+0'])
})

test('whatever is alive and whatever the policy: a placement survives what it promises, or there is none', () => {
  const owners = fc.integer({ min: 0, max: 6 })
  fc.assert(
    fc.property(
      fc.array(fc.record({ owner: owners, country: fc.constantFrom('DE', 'FR', 'NL', 'FI') }), {
        minLength: 1,
        maxLength: 10,
      }),
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 2 }),
      fc.constantFrom(0.2, 0.34, 0.5, 1),
      (facts, lostProviders, lostCountries, greatestShare) => {
        const eligible = facts.map(({ owner, country }, at) => ({
          ...(providers[0] as Provider),
          id: `p${at}`,
          owner: `o${owner}`,
          country,
        }))
        const policy = policyOf({ survive: { providers: lostProviders, countries: lostCountries }, greatestShare })
        const placed = place({ ...choosing, eligible, policy })
        if (!placed) return
        const { holders, k, m } = placed
        assert.equal(holders.length, k + m)
        assert.ok(survives(holders, k, policy))
        assert.ok(margin(holders, k) >= lostProviders)
        assert.ok(1 / holders.length <= greatestShare)
        // The exact check again, by trying every set of owners of that size.
        const names = [...new Set(holders.map(({ owner }) => owner))]
        for (let set = 0; set < 2 ** names.length; set++) {
          const lost = names.filter((_, at) => set & (1 << at))
          if (lost.length <= lostProviders) {
            assert.ok(holders.filter(({ owner }) => !lost.includes(owner)).length >= k)
          }
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('two providers of one owner count as one', () => {
  const [a, b, c] = providers as [Provider, Provider, Provider]
  const sisters = [a, { ...b, owner: a.owner }, c]
  const policy = policyOf({ survive: { providers: 1, countries: 0 } })
  assert.equal(survives([a, b, c], 2, policy), true)
  assert.equal(survives(sisters, 2, policy), false)
  assert.equal(margin(sisters, 2), 0)
  assert.equal(margin([a], 2), -1)
})

test('a replacement keeps the promise, or there is none', () => {
  const { eligible } = judge(directory, defaultPolicy)
  const kept = eligible.slice(0, 5)
  const candidates = eligible.slice(5)
  assert.equal(replacement({ ...choosing, kept, k: 4, candidates, policy: defaultPolicy })?.id, candidates[0]?.id)
  const sister = { ...(candidates[0] as Provider), owner: (kept[0] as Provider).owner }
  assert.equal(replacement({ ...choosing, kept, k: 4, candidates: [sister], policy: defaultPolicy }), undefined)
})

test('an unsatisfiable policy is refused with numbers and with the reason of each provider', () => {
  assert.equal(unsatisfiable(directory, defaultPolicy), undefined)
  const refusal = unsatisfiable(directory, policyOf({ attestations: ['C5'] }))
  assert.match(refusal?.reason ?? '', /2 of 7 providers are allowed \(2 owners, 1 countries\).*needs 3 owners/)
  assert.equal(refusal?.refused.length, 5)
})

test('placements stay within a bounded number of sets', () => {
  const many = Array.from({ length: 30 }, (_, at) => ({ ...(providers[0] as Provider), id: `p${at}`, owner: `o${at}` }))
  const seen = new Set<string>()
  for (let draw = 0; draw < 500; draw++) {
    const placed = place({ ...choosing, eligible: many, policy: policyOf({}) })
    seen.add(placed?.holders.map(({ id }) => id).join() ?? '')
  }
  assert.ok(seen.size > 1 && seen.size <= 8, `${seen.size} sets`)
})

test('policies are read strictly; what is left out is as in the default', () => {
  assert.deepEqual(parsePolicy({}), defaultPolicy)
  assert.deepEqual(parsePolicy({ jurisdictions: ['DE'], survive: { providers: 1 } }), {
    ...defaultPolicy,
    jurisdictions: ['DE'],
    survive: { providers: 1, countries: 0 },
  })
  const faults: [unknown, RegExp][] = [
    [[], /must be an object/],
    [{ jurisdiction: ['DE'] }, /"jurisdiction" is not known/],
    [{ jurisdictions: ['Germany'] }, /"Germany" is not a country such as DE, EU or EEA/],
    [{ jurisdictions: [] }, /at least one/],
    [{ survive: { providers: 1.5 } }, /whole number/],
    [{ survive: { provider: 1 } }, /"survive.provider" is not known/],
    [{ greatestShare: 0 }, /above 0/],
    [{ whenShort: 'ignore' }, /"refuse" or/],
    [{ version: 2 }, /must be 1/],
  ]
  for (const [value, message] of faults) {
    assert.throws(
      () => parsePolicy(value),
      (error: Error & { code?: string }) => error.code === 'policy.invalid' && message.test(error.message),
    )
  }
})

test('a directory is believed only when it is signed, whole and not older', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const signed = signDirectory(directory, privateKey)
  assert.deepEqual(verifyDirectory(JSON.parse(JSON.stringify(signed)), publicKey, 3), directory)
  assert.throws(() => verifyDirectory(signed, publicKey, 4), /older than 4/)
  assert.throws(
    () => verifyDirectory({ ...signed, directory: { ...directory, version: 9 } }, publicKey, 0),
    /signature/,
  )
  assert.throws(() => verifyDirectory(signed, generateKeyPairSync('ed25519').publicKey, 0), /signature/)
  assert.throws(() => verifyDirectory({}, publicKey, 0), { code: 'directory.invalid' })
  const twice = signDirectory({ ...directory, providers: [...providers, providers[0] as Provider] }, privateKey)
  assert.throws(() => verifyDirectory(twice, publicKey, 0), /listed twice/)
})
