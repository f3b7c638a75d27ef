import * as oidc from 'openid-client'
import { type Claims, type IdentityProviders, type ProviderTie, signInError } from '#access'
import { type Clock, type EgressFetch, type Log, PelagoError } from '#kernel'

/** An OpenID Connect provider as it was configured. The issuer is taken letter by letter. */
export type ProviderConfig = {
  id: string
  name: string
  issuer: string
  clientId: string
  /** Without one the client is public and PKCE alone protects the code. */
  clientSecret: string | undefined
  scopes: readonly string[]
}

type Ports = { egress: EgressFetch; clock: Clock; log: Log }
type Discovered = { config: oidc.Configuration; at: number }

/** Providers change their keys; what was found out about them is found out again after this long. */
const keptMs = 3_600_000
const toleranceSeconds = 30

/** Opens the configured providers; each is asked about itself when it is first wanted. */
export function openIdentityProviders(ports: Ports, configs: readonly ProviderConfig[]): IdentityProviders {
  const found = new Map<string, Discovered>()
  const of = (id: string): ProviderConfig => {
    const config = configs.find((one) => one.id === id)
    if (!config) throw signInError('provider.unknown', { provider: id, known: configs.map((one) => one.id).join(', ') })
    return config
  }
  const discovered = async (id: string): Promise<oidc.Configuration> => {
    const now = ports.clock.now()
    const known = found.get(id)
    if (known && now - known.at < keptMs) return known.config
    const config = await discover(ports, of(id))
    found.set(id, { config, at: now })
    return config
  }
  return {
    list: () => configs.map(({ id, name }) => ({ id, name })),
    async begin(id, tie) {
      try {
        const config = await discovered(id)
        const url = oidc.buildAuthorizationUrl(config, {
          ...{ redirect_uri: tie.redirectUri, scope: ['openid', ...of(id).scopes].join(' '), response_type: 'code' },
          ...{ state: tie.state, nonce: tie.nonce },
          ...{ code_challenge: await oidc.calculatePKCECodeChallenge(tie.verifier), code_challenge_method: 'S256' },
        })
        return url.href
      } catch (error) {
        throw told(ports, id, error)
      }
    },
    async finish(id, tie, answer) {
      try {
        return await claimsOf(await discovered(id), tie, answer)
      } catch (error) {
        // Its keys may have changed since they were looked at.
        if (codeOf(error) === 'OAUTH_KEY_SELECTION_FAILED') found.delete(id)
        throw told(ports, id, error)
      }
    },
  }
}

async function discover({ egress }: Ports, config: ProviderConfig): Promise<oidc.Configuration> {
  const execute = [oidc.enableNonRepudiationChecks]
  // Whether plain HTTP is asked is the guard's to say; it wants the origin in the configuration.
  if (config.issuer.startsWith('http://')) execute.push(oidc.allowInsecureRequests)
  const authentication = config.clientSecret === undefined ? oidc.None() : oidc.ClientSecretBasic(config.clientSecret)
  const metadata = { [oidc.clockTolerance]: toleranceSeconds }
  const found = await oidc.discovery(new URL(config.issuer), config.clientId, metadata, authentication, {
    ...{ execute, timeout: 10 },
    [oidc.customFetch]: fetchThrough(egress),
  })
  if (found.serverMetadata().issuer !== config.issuer) throw signInError('provider.issuer')
  return found
}

async function claimsOf(config: oidc.Configuration, tie: ProviderTie, answer: string): Promise<Claims> {
  const back = new URL(tie.redirectUri)
  back.search = answer
  const tokens = await oidc.authorizationCodeGrant(config, back, {
    ...{ expectedState: tie.state, expectedNonce: tie.nonce, pkceCodeVerifier: tie.verifier, idTokenExpected: true },
  })
  const token = tokens.claims()
  if (!token) throw signInError('provider.token', { reason: 'there is none' })
  const { userinfo_endpoint: more, end_session_endpoint: end } = config.serverMetadata()
  const told = more === undefined ? {} : await oidc.fetchUserInfo(config, tokens.access_token, token.sub)
  const all: Record<string, unknown> = { ...told, ...token }
  return {
    ...{ issuer: token.iss, subject: token.sub, all },
    email: typeof all.email === 'string' && all.email_verified === true ? all.email : undefined,
    name: typeof all.name === 'string' ? all.name : undefined,
    signOut: end === undefined ? undefined : oidc.buildEndSessionUrl(config, {}).href,
  }
}

/** What the library asks goes through the guard. */
function fetchThrough(egress: EgressFetch): oidc.CustomFetch {
  return async (url, { method, headers, body, signal }) => {
    const answer = await egress({
      ...{ url, method: method === 'POST' ? 'POST' : 'GET', headers },
      ...(body !== undefined && body !== null && { body: textOf(body) }),
      ...(signal && { signal }),
    })
    return new Response(Buffer.from(answer.body), { status: answer.status, headers: { ...answer.headers } })
  }
}

function textOf(body: oidc.FetchBody): string {
  if (typeof body === 'string') return body
  if (body instanceof URLSearchParams) return body.toString()
  throw new TypeError('the library sends a body of another kind')
}

/** What the library found wrong, in our words. What exactly a token held is told to nobody. */
function told({ log }: Ports, provider: string, error: unknown): PelagoError {
  const inner = causes(error)
  const ours = inner.find((one) => one instanceof PelagoError)
  if (ours?.code.startsWith('provider.')) return ours
  if (ours) return signInError('provider.failed', { provider, reason: ours.message }, error)
  const code = inner.map(codeOf).find((one) => one !== undefined)
  const words = inner.map((one) => (one instanceof Error ? one.message : ''))
  log('warn', 'provider.failed', {
    provider,
    code: code ?? 'none',
    reason: words.filter(Boolean).join('; ').slice(0, 500),
  })
  const says = (text: string) => words.some((word) => word.includes(text))
  if (error instanceof oidc.AuthorizationResponseError) return signInError('provider.refused', { reason: error.error })
  if (error instanceof oidc.ResponseBodyError) {
    if (error.error === 'invalid_grant') return signInError('provider.code', {}, error)
    return signInError('provider.refused', { reason: error.error }, error)
  }
  switch (code) {
    case 'OAUTH_JWT_CLAIM_COMPARISON_FAILED': {
      const claim = detailOf(inner, 'claim')
      if (claim === 'iss') return signInError('provider.issuer', {}, error)
      if (claim === 'aud' || claim === 'azp') return signInError('provider.audience', {}, error)
      if (claim === 'nonce') return signInError('provider.nonce', {}, error)
      return signInError('provider.token', { reason: `its claim ${claim ?? ''} is not what was expected` }, error)
    }
    case 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED':
      return signInError('provider.expired', {}, error)
    case 'OAUTH_KEY_SELECTION_FAILED':
      return signInError('provider.signature', {}, error)
    case 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED':
      if (detailOf(inner, 'attribute') === 'issuer') return signInError('provider.issuer', {}, error)
      return signInError('provider.token', { reason: 'what else is said about you is about somebody else' }, error)
    case 'OAUTH_INVALID_RESPONSE':
      if (says('signature verification')) return signInError('provider.signature', {}, error)
      if (says('"alg"')) return signInError('provider.algorithm', {}, error)
      if (says('(issuer) response parameter')) return signInError('provider.issuer', {}, error)
      if (says('"state"')) return signInError('provider.state', {}, error)
      return signInError('provider.token', { reason: 'it does not have the form of one' }, error)
    case 'OAUTH_UNSUPPORTED_OPERATION':
      return signInError('provider.algorithm', {}, error)
    default:
      return signInError('provider.failed', { provider, reason: code ?? 'its answer is not understood' }, error)
  }
}

function causes(error: unknown): unknown[] {
  const found: unknown[] = []
  for (let one = error; one instanceof Error && found.length < 6; one = one.cause) found.push(one)
  return found
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined
  return typeof code === 'string' ? code : undefined
}

/** What the library says about its refusal beside the words. */
function detailOf(errors: unknown[], name: 'claim' | 'attribute'): string | undefined {
  for (const error of errors) {
    const cause = error instanceof Error ? (error.cause as Record<string, unknown> | undefined) : undefined
    if (typeof cause?.[name] === 'string') return cause[name]
  }
  return undefined
}
