import assert from 'node:assert/strict'
import { localToken } from '#access'
import * as access from '#access'
import type { Log } from '#kernel'
import { createS3, type S3Handler } from '#s3'
import { systemClock } from '../../src/host/clock.ts'
import { openApiServer } from '../../src/host/http/api-server.ts'
import { openS3Server } from '../../src/host/http/http-s3.ts'
import { s3LimitsOf } from '../../src/host/http/s3-limits.ts'
import { openOperations } from '../access/open-operations.ts'
import { openMemoryShards } from './memory-shards.ts'
import { lazily } from './target.ts'

export const region = 'eu-1'
export const hostname = 's3.example'
export const bucket = 'bucket'
export const token = 'the-token-of-the-house'
/** Shorter than whoever fuzzes waits, so that what does not come ends by itself. */
const silentMs = 150

/**
 * A gateway with all of its operations and both edges, over a real index; only its providers are in memory. Everybody may use its
 * one bucket, so that what is not signed comes as far as what is.
 */
async function openFuzzHouse() {
  const house = await openOperations({
    ...{ tenant: 'acme', origin: 'https://acme.example', rp: 'acme.example', clock: systemClock },
    shards: (provider) => stores.get(provider) ?? keep(provider),
  })
  const { acts, standing, policies, sessions } = house.access
  const call = { actor: 'operator', tenant: 'acme', trace: 't', signal: new AbortController().signal }
  await access.createTenant(acts, call, { id: 'acme' })
  await access.changeTenant(acts, call, { id: 'acme', state: undefined, openToPublic: true })
  await access.createPerson(acts, call, { name: 'ada', roles: ['owner'] })
  const { key, secret } = await access.createKey(acts, call, { person: 'ada' })
  const trust = JSON.stringify({
    Statement: { Effect: 'Allow', Principal: { AWS: 'acme' }, Action: 'sts:AssumeRole' },
  })
  await access.createAssumableRole(acts, call, { name: 'job', trust, longestSeconds: 3600 })
  await house.storage.probe(call.signal)
  await house.storage.objects.createBucket(call, { name: bucket })
  const everybody = { Effect: 'Allow', Principal: '*', Action: 's3:*' }
  const Resource = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`]
  const document = JSON.stringify({ Version: '2012-10-17', Statement: { ...everybody, Resource } })
  await access.setBucketAccess(acts, call, { bucket, document })

  let failure: string | undefined
  const log: Log = (level, event, facts = {}) => {
    const ours = event === 's3.broken' || event === 'api.failed' || facts.code === 'InternalError'
    if (level === 'error' && ours) failure ??= `${event} ${JSON.stringify(facts)}`
  }
  const s3: S3Handler = createS3(
    { ...house, log, access: standing, storage: house.storage.objects, policies, sessions },
    { region, hostnames: [hostname] },
  )
  const listen = { host: '127.0.0.1', port: 0 }
  const limits = s3LimitsOf({ headMs: silentMs, silentMs, restMs: silentMs, requestMs: 500 })
  const s3Server = await openS3Server({ handle: s3, clock: systemClock, log }, listen, limits)
  const api = await openApiServer(
    { ...house, log, authenticate: localToken(token, 'acme'), answers: house.index },
    listen,
    { headMs: silentMs, bodyMs: silentMs, rates: { address: rate, asker: rate } },
  )
  return {
    ...house,
    s3,
    key: { id: key.id, secret, region },
    ports: { s3: s3Server.port, api: api.port },
    /** What went wrong on our side since it was asked last. */
    checkLog() {
      const found = failure
      failure = undefined
      assert.equal(found, undefined)
    },
    async close() {
      await s3Server.close()
      await api.close()
      await house.close()
    },
  }
}

const rate = { perSecond: 1e9, burst: 1e9, askersMost: 10 }
const stores = new Map<string, ReturnType<typeof openMemoryShards>>()
function keep(provider: string) {
  const store = openMemoryShards(provider)
  stores.set(provider, store)
  return store
}

export const fuzzHouse = lazily(openFuzzHouse)
