import { hash } from 'node:crypto'
import {
  accessError,
  type AccessKey,
  type AccessKeys,
  type Credentials,
  type Lookup,
  verifyRequest,
  type Wish,
} from '#access'
import { type Clock, PelagoError } from '#kernel'
import type { Address } from './address.ts'
import { s3Error } from './errors.ts'
import { answerOf } from './errors.ts'
import type { S3Request, S3Response } from './wire.ts'
import { innerXml, type Xml } from './xml.ts'

/** Who gives out temporary credentials. */
export type SessionGiver = {
  assumeRole(key: AccessKey, wish: Wish & { lookup: Lookup }): Promise<Credentials>
  assumeRoleWithWebIdentity(
    wish: Wish & { token: string; lookup: Lookup },
  ): Promise<Credentials & { issuer: string; audience: string; subject: string }>
}

type Ports = { clock: Clock; access: AccessKeys; sessions?: SessionGiver | undefined }

const bodyMost = 64 * 1024
const version = '2011-06-15'
const namespace = `https://sts.amazonaws.com/doc/${version}/`
const form = 'application/x-www-form-urlencoded'

/** Whether a request is for STS, which shares the endpoint's host: a form posted to its root. */
export function isSts({ method, headers }: S3Request, { bucket, key }: Address): boolean {
  return method === 'POST' && bucket === '' && key === '' && (headers['content-type'] ?? '').startsWith(form)
}

/** The STS endpoint (query protocol of 2011-06-15): AssumeRole, AssumeRoleWithWebIdentity, GetCallerIdentity. */
export async function answerSts(
  ports: Ports,
  request: S3Request,
  address: Address,
  trace: string,
): Promise<S3Response> {
  try {
    const body = await formOf(request)
    const fields = new URLSearchParams(body)
    if (fields.get('Version') !== version)
      throw accessError('sts.argument', { name: 'Version', reason: `it must be ${version}` })
    const action = fields.get('Action') ?? ''
    const result = await resultOf(ports, request, address, { action, fields, body })
    return xml(200, `${action}Response`, { [`${action}Result`]: result, ResponseMetadata: { RequestId: trace } })
  } catch (error) {
    const { status, code, message } = stsAnswer(error)
    if (status >= 500) throw error
    return xml(status, 'ErrorResponse', {
      Error: { Type: 'Sender', Code: code, Message: message },
      RequestId: trace,
    })
  }
}

type Asked = { action: string; fields: URLSearchParams; body: string }

async function resultOf(ports: Ports, request: S3Request, address: Address, asked: Asked): Promise<Xml> {
  const { action, fields, body } = asked
  const signer = async () => {
    const signed = { method: request.method, path: address.path, query: address.query, headers: request.headers }
    const other = { service: 'sts', payload: hash('sha256', body, 'hex') }
    return (await verifyRequest(ports.access, { ...signed, other }, ports.clock.now())).key
  }
  switch (action) {
    case 'GetCallerIdentity': {
      const { caller } = await signer()
      return { Arn: caller.arn, UserId: caller.facts.get('aws:userid'), Account: caller.tenant }
    }
    case 'AssumeRole': {
      const key = await signer()
      for (const unknown of ['PolicyArns.member.1.arn', 'SerialNumber', 'TokenCode', 'Tags.member.1.Key'])
        if (fields.has(unknown)) throw s3Error('s3.unbuilt', { what: `${unknown} of AssumeRole` })
      const wish = wishOf(fields)
      const lookup = lookupOf(ports, request, fields, (name) => key.caller.facts.get(name))
      return credentialsXml(await sessionsOf(ports).assumeRole(key, { ...wish, lookup }))
    }
    case 'AssumeRoleWithWebIdentity': {
      const token = fields.get('WebIdentityToken')
      if (!token) throw accessError('sts.argument', { name: 'WebIdentityToken', reason: 'it is missing' })
      const lookup = lookupOf(ports, request, fields, () => undefined)
      const given = await sessionsOf(ports).assumeRoleWithWebIdentity({ ...wishOf(fields), token, lookup })
      return {
        ...credentialsXml(given),
        ...{ SubjectFromWebIdentityToken: given.subject, Provider: given.issuer, Audience: given.audience },
      }
    }
    default:
      throw accessError('sts.unknown', { action })
  }
}

function sessionsOf({ sessions }: Ports): SessionGiver {
  if (!sessions) throw s3Error('s3.unbuilt', { what: 'STS, where no people are known,' })
  return sessions
}

function wishOf(fields: URLSearchParams): Wish {
  const seconds = fields.get('DurationSeconds')
  return {
    roleArn: fields.get('RoleArn') ?? '',
    sessionName: fields.get('RoleSessionName') ?? '',
    policy: fields.get('Policy') ?? undefined,
    seconds: seconds === null ? undefined : /^\d+$/.test(seconds) ? Number(seconds) : Number.NaN,
  }
}

function lookupOf({ clock }: Ports, request: S3Request, fields: URLSearchParams, rest: Lookup): Lookup {
  return (key) => {
    switch (key) {
      case 'sts:externalid':
        return fields.get('ExternalId') ?? undefined
      case 'sts:rolesessionname':
        return fields.get('RoleSessionName') ?? undefined
      case 'aws:sourceip':
        return request.from
      case 'aws:securetransport':
        return String(request.secure ?? false)
      case 'aws:currenttime':
        return new Date(clock.now()).toISOString()
      case 'aws:epochtime':
        return String(Math.floor(clock.now() / 1000))
      case 'aws:useragent':
        return request.headers['user-agent']
      default:
        return rest(key)
    }
  }
}

function credentialsXml(given: Credentials) {
  return {
    Credentials: {
      AccessKeyId: given.id,
      SecretAccessKey: given.secret,
      SessionToken: given.token,
      Expiration: new Date(given.expiresAt).toISOString(),
    },
    AssumedRoleUser: { AssumedRoleId: given.userId, Arn: given.arn },
    PackedPolicySize: given.packed,
  }
}

async function formOf(request: S3Request): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.whole ? [await request.whole()] : request.body) {
    size += chunk.length
    if (size > bodyMost) throw s3Error('s3.large', { limit: bodyMost })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** STS has codes of its own for some of the reasons. */
const codes: Record<string, readonly [number, string]> = {
  'access.anonymous': [403, 'MissingAuthenticationToken'],
  'access.unknown': [403, 'InvalidClientTokenId'],
  'access.token': [403, 'InvalidClientTokenId'],
  'access.token-expired': [403, 'ExpiredToken'],
  'access.malformed': [400, 'IncompleteSignature'],
  'access-policy.invalid': [400, 'MalformedPolicyDocument'],
  'sts.argument': [400, 'ValidationError'],
  'sts.unknown': [400, 'InvalidAction'],
  'sts.packed': [400, 'PackedPolicyTooLarge'],
  'sts.denied': [403, 'AccessDenied'],
  'sts.identity': [400, 'InvalidIdentityToken'],
  'sts.identity-expired': [400, 'ExpiredTokenException'],
  'sts.issuer': [400, 'IDPCommunicationError'],
}

function stsAnswer(error: unknown) {
  const own = error instanceof PelagoError ? codes[error.code] : undefined
  return own ? { status: own[0], code: own[1], message: (error as PelagoError).message } : answerOf(error)
}

function xml(status: number, root: string, content: Xml): S3Response {
  const body = Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${namespace}">${innerXml(content)}</${root}>`,
  )
  return { status, headers: { 'content-type': 'text/xml' }, body }
}
