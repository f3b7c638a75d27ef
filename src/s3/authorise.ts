import {
  accessError,
  bucketArn,
  type BucketAccess,
  type Caller,
  evaluate,
  explain,
  type Lookup,
  objectArn,
} from '#access'
import type { Call, Clock } from '#kernel'
import type { S3Config, S3Request } from './wire.ts'

/** What S3 calls the things that can be allowed, as far as they are built. */
export type Action =
  | 's3:AbortMultipartUpload'
  | 's3:CreateBucket'
  | 's3:DeleteBucket'
  | 's3:DeleteBucketPolicy'
  | 's3:DeleteObject'
  | 's3:GetBucketAcl'
  | 's3:GetBucketLocation'
  | 's3:GetBucketPolicy'
  | 's3:GetBucketPolicyStatus'
  | 's3:GetBucketVersioning'
  | 's3:GetObject'
  | 's3:GetObjectAcl'
  | 's3:GetObjectTagging'
  | 's3:ListAllMyBuckets'
  | 's3:ListBucket'
  | 's3:ListBucketMultipartUploads'
  | 's3:ListMultipartUploadParts'
  | 's3:PutBucketPolicy'
  | 's3:PutObject'

/** Where it is kept what owners have said about their buckets. */
export type BucketAccesses = {
  bucketAccess(bucket: string): BucketAccess | undefined | Promise<BucketAccess | undefined>
}

/** Where policies of buckets are changed. */
export type BucketPolicies = {
  set(call: Call, input: { bucket: string; document: string }): Promise<void>
  get(call: Call, bucket: string): Promise<{ document: string; public: boolean } | undefined>
  delete(call: Call, bucket: string): Promise<void>
}

/** Decides for one request. */
export type Authority = {
  /**
   * The call under which storage is to be asked: of the tenant that the bucket belongs to, where its policy lets in others.
   * Settled at once where nobody has to be asked.
   * @param bucket empty for what is about no bucket
   * @throws access.denied, access.anonymous
   */
  may(action: Action, bucket: string, key?: string): Call | Promise<Call>
}

type Asked = {
  request: S3Request
  caller: Caller
  presigned: boolean
  time: string
  query(name: string): string | undefined
}

/** Whoever owns a tenant can always say anew who may use its buckets, so that nobody shuts everybody out for ever. */
const neverLockedOut: ReadonlySet<Action> = new Set([
  's3:GetBucketPolicy',
  's3:PutBucketPolicy',
  's3:DeleteBucketPolicy',
])

export function authorityOf(
  { access, clock }: { access: BucketAccesses; clock: Clock },
  config: S3Config,
  asked: Asked,
  call: Call,
): Authority {
  const { caller } = asked
  const unbound = caller.full && caller.own.length === 0 && !caller.session
  const decide = (action: Action, bucket: string, key: string, found: BucketAccess | undefined): Call => {
    if (found === undefined && unbound) return call
    const about = {
      action,
      resource: key === '' ? bucketArn(bucket === '' ? '*' : bucket) : objectArn(bucket, key),
      lookup: lookupOf(asked, action, found?.tenant ?? caller.tenant, clock, config),
      ...{ who: caller.named, full: caller.full, own: caller.own, session: caller.session },
    }
    const own = found?.tenant === caller.tenant
    if (found && !own) {
      if (evaluate({ ...about, of: found }).allowed) return { ...call, tenant: found.tenant }
      // As if the bucket were not there: whoever is not let in does not learn that it is.
    }
    if (!caller.named) throw accessError('access.anonymous')
    const spared = own && caller.owner && neverLockedOut.has(action)
    const decision = evaluate({ ...about, of: own && !spared ? found : undefined })
    if (decision.allowed) return call
    throw accessError('access.denied', { reason: `${caller.arn}: ${explain(decision, about)}` })
  }
  return {
    may(action, bucket, key = '') {
      const found = bucket === '' ? undefined : access.bucketAccess(bucket)
      if (found instanceof Promise) return found.then((settled) => decide(action, bucket, key, settled))
      return decide(action, bucket, key, found)
    },
  }
}

const listing: ReadonlySet<Action> = new Set(['s3:ListBucket', 's3:ListBucketMultipartUploads'])

/** What a request says about itself, as conditions of policies ask for it. */
function lookupOf(asked: Asked, action: Action, owner: string, clock: Clock, config: S3Config): Lookup {
  const { request, caller, query } = asked
  const { headers } = request
  return (key) => {
    switch (key) {
      case 'aws:sourceip':
        return request.from
      case 'aws:securetransport':
        return String(request.secure ?? false)
      case 'aws:currenttime':
        return new Date(clock.now()).toISOString()
      case 'aws:epochtime':
        return String(Math.floor(clock.now() / 1000))
      case 'aws:useragent':
        return headers['user-agent']
      case 'aws:referer':
        return headers.referer
      case 'aws:requestedregion':
        return config.region
      case 'aws:resourceaccount':
      case 's3:resourceaccount':
        return owner
      case 's3:prefix':
      case 's3:delimiter':
      case 's3:max-keys':
        // A listing without a prefix has an empty one: whoever may list some prefixes only may not list without.
        return listing.has(action)
          ? (query(key.slice('s3:'.length)) ?? (key === 's3:prefix' ? '' : undefined))
          : undefined
      case 's3:versionid':
        return query('versionId')
      case 's3:authtype':
        return caller.named && (asked.presigned ? 'REST-QUERY-STRING' : 'REST-HEADER')
      case 's3:signatureversion':
        return caller.named && 'AWS4-HMAC-SHA256'
      case 's3:signatureage':
        return caller.named && String(Math.max(0, clock.now() - signedAt(asked.time)))
      case 's3:if-match':
      case 's3:if-none-match':
        return headers[key.slice('s3:'.length)]
      default:
        return key.startsWith('s3:x-amz-') ? headers[key.slice('s3:'.length)] : caller.facts.get(key)
    }
  }
}

/** `20130524T000000Z` in milliseconds. */
function signedAt(time: string): number {
  return Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
}
