import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PelagoError } from '#kernel'
import { personArn, roleArn, sessionArn } from '../arn.ts'
import { type Decision, evaluate, explain, isPublic, type Question } from './evaluate.ts'
import type { Named } from './principals.ts'
import { type PolicyKind, readAccessPolicy } from './read-policy.ts'

type Json = Record<string, unknown>
const identity: PolicyKind = { on: 'identity' }
const onBucket: PolicyKind = { on: 'bucket', bucket: 'b' }
const read = (statements: Json | Json[], kind: PolicyKind = identity, Version = '2012-10-17') =>
  readAccessPolicy(JSON.stringify({ Version, Statement: statements }), kind)

const ada: Named = { tenant: 't', arns: [personArn('t', 'ada')], owner: false }
const owner: Named = { tenant: 't', arns: [personArn('t', 'root')], owner: true }
const stranger: Named = { tenant: 'other', arns: [personArn('other', 'ada')], owner: false }
const role: Named = { tenant: 't', arns: [roleArn('t', 'etl'), sessionArn('t', 'etl', 'run1')], owner: false }

type Given = Partial<Omit<Question, 'own' | 'session' | 'of' | 'lookup'>> & {
  own?: Json | Json[]
  session?: Json | Json[]
  bucket?: Json | Json[]
  open?: boolean
  context?: Record<string, string | string[]>
  version?: string
}

function ask({ own, session, bucket, open = false, context = {}, version, ...rest }: Given): Decision {
  const keys = new Map(Object.entries(context).map(([key, value]) => [key.toLowerCase(), value]))
  return evaluate({
    action: 's3:GetObject',
    resource: 'arn:aws:s3:::b/k',
    who: ada,
    full: false,
    lookup: (key) => keys.get(key),
    own: own ? [{ policy: read(own, identity, version), name: 'the policy of ada' }] : [],
    session: session && read(session, { on: 'session' }, version),
    of: bucket && { policy: read(bucket, onBucket, version), tenant: 't', open },
    ...rest,
  })
}

const allow = (more: Json = {}) => ({ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/*', ...more })
const deny = (more: Json = {}) => ({ ...allow(), Effect: 'Deny', ...more })
const toAll = { Principal: '*' }
const toAda = { Principal: { AWS: personArn('t', 'ada') } }

const vectors: [name: string, given: Given, expected: Decision['by']][] = [
  ['without a policy nothing is allowed', {}, 'unallowed'],
  ['an owner needs none', { full: true, who: owner }, 'full'],
  ['a policy allows', { own: allow() }, 'allowed'],
  ['another action', { own: allow(), action: 's3:PutObject' }, 'unallowed'],
  ['another object', { own: allow({ Resource: 'arn:aws:s3:::b/x' }) }, 'unallowed'],
  ['the bucket is not its objects', { own: allow({ Resource: 'arn:aws:s3:::b' }) }, 'unallowed'],
  ['actions in any case', { own: allow({ Action: 'S3:getobject' }) }, 'allowed'],
  ['resources in theirs', { own: allow({ Resource: 'arn:aws:s3:::B/*' }) }, 'unallowed'],
  ['actions with a star', { own: allow({ Action: ['s3:Put*', 's3:Get*'] }) }, 'allowed'],
  ['actions with a question mark', { own: allow({ Action: 's3:?etObject' }) }, 'allowed'],
  ['everything', { own: allow({ Action: '*', Resource: '*' }) }, 'allowed'],
  ['all but an action', { own: { Effect: 'Allow', NotAction: 's3:DeleteObject', Resource: '*' } }, 'allowed'],
  ['all but this action', { own: { Effect: 'Allow', NotAction: 's3:GetObject', Resource: '*' } }, 'unallowed'],
  ['all but a resource', { own: { Effect: 'Allow', Action: '*', NotResource: 'arn:aws:s3:::secret/*' } }, 'allowed'],
  ['all but this resource', { own: { Effect: 'Allow', Action: '*', NotResource: 'arn:aws:s3:::b/*' } }, 'unallowed'],
  ['deny wins', { own: [allow(), deny()] }, 'forbidden'],
  ['deny wins from before', { own: [deny(), allow()] }, 'forbidden'],
  ['deny wins over the owner', { who: owner, full: true, own: deny() }, 'forbidden'],
  ['deny of the bucket wins', { own: allow(), bucket: deny(toAll) }, 'forbidden'],
  ['deny of the session wins', { own: allow(), session: [allow(), deny()] }, 'forbidden'],
  ['the bucket allows by name', { bucket: allow(toAda) }, 'allowed'],
  ['the bucket allows somebody else', { who: role, bucket: allow(toAda) }, 'unallowed'],
  ['a role by its ARN', { who: role, bucket: allow({ Principal: { AWS: roleArn('t', 'etl') } }) }, 'allowed'],
  [
    'one session of it',
    { who: role, bucket: allow({ Principal: { AWS: sessionArn('t', 'etl', 'run1') } }) },
    'allowed',
  ],
  [
    'another session',
    { who: role, bucket: allow({ Principal: { AWS: sessionArn('t', 'etl', 'run2') } }) },
    'unallowed',
  ],
  ['everybody is everybody of the tenant', { bucket: allow(toAll) }, 'allowed'],
  ['everybody as a list', { bucket: allow({ Principal: { AWS: ['*'] } }) }, 'allowed'],
  ['nobody knows who, and it is closed', { who: undefined, bucket: allow(toAll) }, 'unallowed'],
  ['nobody knows who, and it is open', { who: undefined, bucket: allow(toAll), open: true }, 'allowed'],
  ['open, but by name', { who: undefined, bucket: allow(toAda), open: true }, 'unallowed'],
  ['nobody, and deny', { who: undefined, bucket: [allow(toAll), deny(toAll)], open: true }, 'forbidden'],
  ['a tenant named is not its people', { bucket: allow({ Principal: { AWS: 't' } }) }, 'unallowed'],
  ['but its owner', { who: owner, bucket: allow({ Principal: { CanonicalUser: 't' } }) }, 'allowed'],
  [
    'forbidden to a tenant is to its people',
    { own: allow(), bucket: deny({ Principal: { AWS: 'arn:aws:iam::t:root' } }) },
    'forbidden',
  ],
  ['forbidden to all but one, who is it', { own: allow(), bucket: deny({ NotPrincipal: toAda.Principal }) }, 'allowed'],
  [
    'forbidden to all but one, who is not',
    { who: role, own: allow(), bucket: deny({ NotPrincipal: toAda.Principal }) },
    'forbidden',
  ],
  [
    'excepting a tenant excepts its owner',
    { who: owner, full: true, bucket: deny({ NotPrincipal: { AWS: 't' } }) },
    'full',
  ],
  ['and not its people', { own: allow(), bucket: deny({ NotPrincipal: { AWS: 't' } }) }, 'forbidden'],
  ['another tenant with its own leave alone', { who: stranger, own: allow(), bucket: allow(toAda) }, 'resource'],
  [
    'another tenant with the bucket alone',
    { who: stranger, bucket: allow({ Principal: { AWS: 'other' } }) },
    'unallowed',
  ],
  [
    'another tenant with both',
    { who: stranger, own: allow(), bucket: allow({ Principal: { AWS: 'other' } }) },
    'allowed',
  ],
  ['everybody is not another tenant', { who: stranger, own: allow(), bucket: allow(toAll) }, 'resource'],
  ['unless it is open', { who: stranger, own: allow(), bucket: allow(toAll), open: true }, 'allowed'],
  ['a session intersects', { own: allow(), session: allow() }, 'allowed'],
  ['a session without leave', { own: allow(), session: allow({ Action: 's3:PutObject' }) }, 'session'],
  ['a session does not add', { session: allow() }, 'unallowed'],
  [
    'a session bounds the owner',
    { who: owner, full: true, session: allow({ Resource: 'arn:aws:s3:::c/*' }) },
    'session',
  ],
  ['a session bounds the bucket', { session: allow({ Action: 's3:PutObject' }), bucket: allow(toAda) }, 'session'],
  [
    'home folders',
    {
      own: allow({ Resource: 'arn:aws:s3:::b/${aws:username}/*' }),
      resource: 'arn:aws:s3:::b/ada/x',
      context: { 'aws:username': 'ada' },
    },
    'allowed',
  ],
  [
    'home folders of others',
    {
      own: allow({ Resource: 'arn:aws:s3:::b/${aws:username}/*' }),
      resource: 'arn:aws:s3:::b/bo/x',
      context: { 'aws:username': 'ada' },
    },
    'unallowed',
  ],
  [
    'a star in a name is a star',
    {
      own: allow({ Resource: 'arn:aws:s3:::b/${aws:username}/*' }),
      resource: 'arn:aws:s3:::b/bo/x',
      context: { 'aws:username': '*' },
    },
    'unallowed',
  ],
  [
    'the old language has no variables',
    {
      version: '2008-10-17',
      own: allow({ Resource: 'arn:aws:s3:::b/${aws:username}' }),
      resource: 'arn:aws:s3:::b/ada',
      context: { 'aws:username': 'ada' },
    },
    'unallowed',
  ],
  [
    'all but a home that nobody knows',
    { own: { Effect: 'Allow', Action: '*', NotResource: 'arn:aws:s3:::b/${aws:username}' } },
    'unallowed',
  ],
  [
    'forbidden but in a home that nobody knows',
    { own: [allow(), { Effect: 'Deny', Action: '*', NotResource: 'arn:aws:s3:::b/${aws:username}' }] },
    'forbidden',
  ],
]

for (const [name, given, expected] of vectors) {
  test(`policy: ${name}`, () => assert.equal(ask(given).by, expected))
}

const at = '2026-03-01T12:00:00Z'
const conditions: [block: Json, context: Record<string, string | string[]>, holds: boolean][] = [
  [{ StringEquals: { 's3:prefix': ['a/', 'b/'] } }, { 's3:prefix': 'b/' }, true],
  [{ StringEquals: { 's3:prefix': 'a/' } }, { 's3:prefix': 'A/' }, false],
  [{ StringEquals: { 's3:prefix': '' } }, { 's3:prefix': '' }, true],
  [{ StringEquals: { 's3:prefix': 'a/' } }, {}, false],
  [{ StringEqualsIfExists: { 's3:prefix': 'a/' } }, {}, true],
  [{ StringEquals: { 'S3:Prefix': 'a*' } }, { 's3:prefix': 'ab' }, false],
  [{ StringNotEquals: { 's3:prefix': ['a/', 'b/'] } }, { 's3:prefix': 'c/' }, true],
  [{ StringNotEquals: { 's3:prefix': ['a/', 'b/'] } }, { 's3:prefix': 'b/' }, false],
  [{ StringNotEquals: { 's3:prefix': 'a/' } }, {}, true],
  [{ StringEqualsIgnoreCase: { 'aws:username': 'ADA' } }, { 'aws:username': 'ada' }, true],
  [{ StringNotEqualsIgnoreCase: { 'aws:username': 'ADA' } }, { 'aws:username': 'ada' }, false],
  [{ StringLike: { 's3:prefix': 'a*/?' } }, { 's3:prefix': 'abc/d' }, true],
  [{ StringNotLike: { 's3:prefix': 'a*' } }, { 's3:prefix': 'abc' }, false],
  [{ StringLike: { 's3:prefix': '${aws:username}/*' } }, { 's3:prefix': 'ada/x', 'aws:username': 'ada' }, true],
  [{ StringNotEquals: { 's3:prefix': '${aws:userid}' } }, { 's3:prefix': 'x' }, false],
  [{ NumericLessThanEquals: { 's3:max-keys': 100 } }, { 's3:max-keys': '100' }, true],
  [{ NumericLessThan: { 's3:max-keys': '100' } }, { 's3:max-keys': '100' }, false],
  [{ NumericGreaterThan: { 's3:max-keys': '9' } }, { 's3:max-keys': '10' }, true],
  [{ NumericGreaterThanEquals: { 's3:max-keys': '9' } }, { 's3:max-keys': 'x' }, false],
  [{ NumericEquals: { 's3:max-keys': '10' } }, { 's3:max-keys': '10.0' }, true],
  [{ NumericNotEquals: { 's3:max-keys': '10' } }, { 's3:max-keys': '11' }, true],
  [{ DateLessThan: { 'aws:CurrentTime': '2026-03-02T00:00:00Z' } }, { 'aws:CurrentTime': at }, true],
  [{ DateGreaterThan: { 'aws:CurrentTime': '2026-03-02T00:00:00Z' } }, { 'aws:CurrentTime': at }, false],
  [{ DateEquals: { 'aws:CurrentTime': '2026-03-01T13:00:00+01:00' } }, { 'aws:CurrentTime': at }, true],
  [{ DateGreaterThan: { 'aws:EpochTime': '2026-02-28' } }, { 'aws:EpochTime': String(Date.parse(at) / 1000) }, true],
  [{ DateNotEquals: { 'aws:CurrentTime': '2026' } }, { 'aws:CurrentTime': at }, true],
  [{ DateLessThanEquals: { 'aws:CurrentTime': at } }, { 'aws:CurrentTime': at }, true],
  [{ DateGreaterThanEquals: { 'aws:TokenIssueTime': at } }, {}, false],
  [{ Bool: { 'aws:SecureTransport': 'true' } }, { 'aws:SecureTransport': 'false' }, false],
  [{ Bool: { 'aws:SecureTransport': false } }, { 'aws:SecureTransport': 'false' }, true],
  [{ BoolIfExists: { 'aws:MultiFactorAuthPresent': 'true' } }, {}, true],
  [{ IpAddress: { 'aws:SourceIp': ['192.0.2.0/24', '2001:db8::/32'] } }, { 'aws:SourceIp': '2001:db8::9' }, true],
  [{ IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } }, { 'aws:SourceIp': '::ffff:192.0.2.1' }, true],
  [{ NotIpAddress: { 'aws:SourceIp': '192.0.2.0/24' } }, { 'aws:SourceIp': '192.0.2.1' }, false],
  [{ NotIpAddress: { 'aws:SourceIp': '192.0.2.0/24' } }, { 'aws:SourceIp': '198.51.100.1' }, true],
  [
    { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::t:user/*' } },
    { 'aws:PrincipalArn': 'arn:aws:iam::t:user/ada' },
    true,
  ],
  [
    { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:user/ada' } },
    { 'aws:PrincipalArn': 'arn:aws:iam::t:x:user/ada' },
    false,
  ],
  [
    { ArnEquals: { 'aws:PrincipalArn': 'arn:aws:iam::t:role/*' } },
    { 'aws:PrincipalArn': 'arn:aws:iam::t:user/ada' },
    false,
  ],
  [
    { ArnNotLike: { 'aws:PrincipalArn': 'arn:aws:iam::t:user/*' } },
    { 'aws:PrincipalArn': 'arn:aws:iam::t:user/ada' },
    false,
  ],
  [
    { ArnNotEquals: { 'aws:PrincipalArn': 'arn:aws:iam::t:user/bo' } },
    { 'aws:PrincipalArn': 'arn:aws:iam::t:user/ada' },
    true,
  ],
  [
    { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::${aws:PrincipalAccount}:user/*' } },
    { 'aws:PrincipalArn': 'arn:aws:iam::t:user/ada', 'aws:PrincipalAccount': 't' },
    true,
  ],
  [{ Null: { 'aws:TokenIssueTime': 'true' } }, {}, true],
  [{ Null: { 'aws:TokenIssueTime': 'false' } }, {}, false],
  [{ Null: { 'aws:TokenIssueTime': false } }, { 'aws:TokenIssueTime': at }, true],
  [{ 'ForAnyValue:StringEquals': { 's3:prefix': ['a', 'b'] } }, { 's3:prefix': ['x', 'b'] }, true],
  [{ 'ForAnyValue:StringEquals': { 's3:prefix': 'a' } }, {}, false],
  [{ 'ForAnyValue:StringNotEquals': { 's3:prefix': 'a' } }, { 's3:prefix': ['a', 'x'] }, true],
  [{ 'ForAllValues:StringEquals': { 's3:prefix': ['a', 'b'] } }, { 's3:prefix': ['a', 'x'] }, false],
  [{ 'ForAllValues:StringEquals': { 's3:prefix': ['a', 'b'] } }, { 's3:prefix': ['a', 'b'] }, true],
  [{ 'ForAllValues:StringEquals': { 's3:prefix': 'a' } }, {}, true],
  [{ 'ForAllValues:StringNotLike': { 's3:prefix': 'a*' } }, { 's3:prefix': ['b', 'ab'] }, false],
  [{ 'ForAllValues:StringLikeIfExists': { 's3:prefix': 'a*' } }, { 's3:prefix': ['a', 'ab'] }, true],
  [{ StringEquals: { 's3:prefix': 'a', 's3:delimiter': '/' } }, { 's3:prefix': 'a' }, false],
  [
    { StringEquals: { 's3:prefix': 'a' }, Bool: { 'aws:SecureTransport': 'true' } },
    { 's3:prefix': 'a', 'aws:SecureTransport': 'true' },
    true,
  ],
]

test('conditions hold when they should', () => {
  for (const [block, context, holds] of conditions) {
    const found = ask({ own: allow({ Condition: block }), context })
    assert.equal(found.allowed, holds, `${JSON.stringify(block)} of ${JSON.stringify(context)}`)
  }
})

test('whatever is not understood is refused with its place', () => {
  const one = allow()
  const cases: [kind: PolicyKind, document: unknown, message: RegExp][] = [
    [identity, [], /The policy cannot be read: it must be an object/],
    [identity, { Statement: one, Extra: 1 }, /Extra is not known/],
    [identity, { Version: '2012-10-18', Statement: one }, /Version cannot be read/],
    [identity, { Version: '2012-10-17' }, /Statement cannot be read: there is none/],
    [identity, { Statement: [] }, /there is none/],
    [identity, { Statement: [one, { ...one, Effect: 'allow' }] }, /Statement\[1\].Effect/],
    [identity, { Statement: { ...one, Action: undefined } }, /Statement cannot be read: it has no Action/],
    [identity, { Statement: { ...one, NotAction: 's3:*' } }, /both Action and NotAction/],
    [identity, { Statement: { ...one, Action: [] } }, /Statement.Action cannot be read: it is empty/],
    [identity, { Statement: { ...one, Action: 's3:GetObjct' } }, /no action s3:GetObjct/],
    [identity, { Statement: { ...one, Action: 'GetObject' } }, /no action like/],
    [identity, { Statement: { ...one, Resource: 'b/*' } }, /Statement.Resource cannot be read: b\/\* is no ARN/],
    [identity, { Version: '2012-10-17', Statement: { ...one, Resource: 'arn:aws:s3:::b/${oops' } }, /variable/],
    [identity, { Statement: { ...one, Resource: undefined } }, /it has no Resource/],
    [identity, { Statement: { ...one, Principal: '*' } }, /Statement.Principal/],
    [identity, { Statement: { ...one, Condition: { StringEqual: { 's3:prefix': 'a' } } } }, /no operator StringEqual/],
    [
      identity,
      { Statement: { ...one, Condition: { StringEquals: { 's3:prefiks': 'a' } } } },
      /Condition.StringEquals.s3:prefiks/,
    ],
    [identity, { Statement: { ...one, Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/40' } } } }, /no network/],
    [identity, { Statement: { ...one, Condition: { DateLessThan: { 'aws:CurrentTime': 'tomorrow' } } } }, /no time/],
    [identity, { Statement: { ...one, Condition: { NullIfExists: { 's3:prefix': 'true' } } } }, /Null stands alone/],
    [
      identity,
      {
        Statement: [
          { ...one, Sid: 'A' },
          { ...one, Sid: 'A' },
        ],
      },
      /two statements have the Sid A/,
    ],
    [onBucket, { Statement: one }, /it has no Principal/],
    [onBucket, { Statement: { ...one, NotPrincipal: '*' } }, /rest of the world/],
    [onBucket, { Statement: { ...one, Principal: { AWS: 'arn:aws:iam::t:user/*' } } }, /wildcard/],
    [onBucket, { Statement: { ...one, Principal: { Service: 'x' } } }, /kind Service/],
    [onBucket, { Statement: { ...one, Principal: 'ada' } }, /Statement.Principal/],
    [onBucket, { Statement: { ...one, ...toAll, Resource: 'arn:aws:s3:::bc/*' } }, /not within the bucket b/],
    [{ on: 'trust' }, { Statement: { ...one, ...toAll } }, /leave this out/],
  ]
  for (const [kind, document, message] of cases) {
    assert.throws(() => readAccessPolicy(JSON.stringify(document), kind), message)
  }
  const twice = '{"Statement":{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}}'
  assert.throws(() => readAccessPolicy(twice, identity), /Effect stands twice/)
  assert.throws(() => readAccessPolicy('{', identity), { code: 'access-policy.invalid' })
  assert.throws(() => readAccessPolicy(`"${'x'.repeat(21_000)}"`, identity), /more than 20480 bytes/)
})

test('a refusal says which statement it is', () => {
  const about = { action: 's3:GetObject', resource: 'arn:aws:s3:::b/k' }
  const named = ask({ own: [allow(), deny({ Sid: 'NoReading' })] })
  assert.equal(
    explain(named, about),
    'the statement "NoReading" of the policy of ada forbids s3:GetObject on arn:aws:s3:::b/k',
  )
  assert.match(explain(ask({ bucket: deny(toAll) }), about), /^statement 1 of the policy of the bucket forbids/)
  assert.match(explain(ask({}), about), /^no policy allows/)
})

test('public is what lets in everybody without saying from where', () => {
  const cases: [Json, boolean][] = [
    [allow(toAll), true],
    [allow(toAda), false],
    [deny(toAll), false],
    [allow({ ...toAll, Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } } }), false],
    [allow({ ...toAll, Condition: { StringLike: { 'aws:Referer': '*' } } }), true],
  ]
  for (const [statement, expected] of cases) assert.equal(isPublic(read(statement, onBucket)), expected)
})

const actions = ['s3:GetObject', 's3:PutObject', 's3:*', 's3:Get*', '*']
const resources = ['arn:aws:s3:::b/*', 'arn:aws:s3:::b/k', 'arn:aws:s3:::b', '*', 'arn:aws:s3:::b/${aws:username}*']
const anyStatement = fc
  .record({
    Effect: fc.constantFrom('Allow', 'Deny'),
    action: fc.constantFrom('Action', 'NotAction'),
    actions: fc.subarray(actions, { minLength: 1 }),
    resource: fc.constantFrom('Resource', 'NotResource'),
    resources: fc.subarray(resources, { minLength: 1 }),
    condition: fc.constantFrom(undefined, ...conditions.slice(0, 20).map(([block]) => block)),
  })
  .map(({ Effect, action, actions, resource, resources, condition }) => ({
    Effect,
    [action]: actions,
    [resource]: resources,
    ...(condition && { Condition: condition }),
  }))
const anyStatements = fc.array(anyStatement, { minLength: 1, maxLength: 4 })
const anyContext = fc.constantFrom(
  {},
  { 's3:prefix': 'a/', 'aws:username': 'k' },
  { 's3:prefix': 'b/', 's3:max-keys': '10' },
)
const anyWho = fc.constantFrom(ada, owner, stranger, role)
const anyQuestion = fc
  .record({
    own: fc.option(anyStatements, { nil: undefined }),
    bucket: fc.option(
      anyStatements.map((list) => list.map((one) => ({ ...one, ...toAll }))),
      { nil: undefined },
    ),
    context: anyContext,
    who: anyWho,
    full: fc.boolean(),
    open: fc.boolean(),
    action: fc.constantFrom('s3:GetObject', 's3:PutObject', 's3:DeleteObject'),
    resource: fc.constantFrom('arn:aws:s3:::b/k', 'arn:aws:s3:::b', 'arn:aws:s3:::b/other'),
  })
  .map(({ own, bucket, ...rest }): Given => ({ ...rest, ...(own && { own }), ...(bucket && { bucket }) }))

test('laws of policies: what is added to forbid or to bound never lets in more, what is added to allow never less', () => {
  fc.assert(
    fc.property(anyQuestion, anyStatements, (given, more) => {
      const before = ask(given).allowed
      const own = (given.own ?? []) as Json[]
      const forbids = more.map((statement) => ({ ...statement, Effect: 'Deny' }))
      const allows = more.map((statement) => ({ ...statement, Effect: 'Allow' }))
      assert.ok(before || !ask({ ...given, own: [...own, ...forbids] }).allowed, 'a prohibition let somebody in')
      assert.ok(!before || ask({ ...given, own: [...own, ...allows] }).allowed, 'a permission shut somebody out')
      assert.ok(before || !ask({ ...given, session: more }).allowed, 'a session let somebody in')
      if (own.length > 1) assert.equal(ask({ ...given, own: own.toReversed() }).allowed, before, 'the order counted')
    }),
    { numRuns: 3000 },
  )
})

test('who forbids everything is obeyed by everybody', () => {
  fc.assert(
    fc.property(anyQuestion, (given) => {
      const all = { Effect: 'Deny', Action: '*', Resource: '*' }
      assert.equal(ask({ ...given, bucket: { ...all, ...toAll } }).by, 'forbidden')
      assert.equal(ask({ ...given, own: all }).by, 'forbidden')
    }),
  )
})

test('whatever text comes, reading it throws nothing but its own error', () => {
  const refused = (text: string) => {
    try {
      readAccessPolicy(text, onBucket)
    } catch (error) {
      assert.ok(error instanceof PelagoError && error.code === 'access-policy.invalid', String(error))
    }
  }
  const word = fc.constantFrom(
    'Version',
    'Statement',
    'Effect',
    'Allow',
    'Principal',
    '*',
    'Action',
    's3:*',
    'Resource',
    'Condition',
    'Null',
    'AWS',
    '__proto__',
    'constructor',
  )
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      word,
      fc.jsonValue({ maxDepth: 1 }),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(word, tie('value'), { maxKeys: 5 }),
    ),
  }))
  fc.assert(
    fc.property(value, (value) => refused(JSON.stringify(value))),
    { numRuns: 2000 },
  )
  fc.assert(fc.property(fc.string(), refused))
})
