/** An OpenID Connect provider that is not ours, on loopback, with somebody who types into its pages. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, decodeJwt, decodeProtectedHeader } from 'jose'
import { Provider } from 'oidc-provider'

export type Bend = {
  /** Changes what a token says; it is signed again with the provider's own key. */
  claims?: (claims: JWTPayload) => JWTPayload
  /** Replaces the token by another. */
  token?: (token: string) => string
  /** Signs with a key that nobody knows, under the name of one that is known. */
  foreignKey?: boolean
}

type Account = { email?: string; email_verified?: boolean; name?: string; groups?: string[] }

export async function openIdentityProvider(accounts: Record<string, Account>, redirectUris: string[]) {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const foreign = await generateKeyPair('RS256')
  const key = { ...(await exportJWK(privateKey)), kid: 'key-1', alg: 'RS256', use: 'sig' }
  let bend: Bend = {}
  let handler: (request: never, response: never) => void = () => {}
  const server = createServer((request, response) => handler(request as never, response as never))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, {
    clients: [
      {
        ...{ client_id: 'pelago', client_secret: 'a-secret-that-only-the-two-know', redirect_uris: redirectUris },
        ...{ response_types: ['code'], grant_types: ['authorization_code'], application_type: 'native' },
      },
    ],
    claims: { openid: ['sub', 'groups'], email: ['email', 'email_verified'], profile: ['name'] },
    cookies: { keys: ['a', 'b'] },
    jwks: { keys: [key] },
    pkce: { required: () => true },
    findAccount: (_: unknown, id: string) => ({ accountId: id, claims: async () => ({ sub: id, ...accounts[id] }) }),
  })
  provider.use(async (context, next) => {
    await next()
    const body = context.body as { id_token?: string } | undefined
    if (context.path !== '/token' || body?.id_token === undefined) return
    const { kid } = decodeProtectedHeader(body.id_token)
    const claims = bend.claims?.(decodeJwt(body.id_token)) ?? decodeJwt(body.id_token)
    const signer = new SignJWT(claims).setProtectedHeader({ alg: 'RS256', ...(kid !== undefined && { kid }) })
    const again = await signer.sign(bend.foreignKey === true ? foreign.privateKey : privateKey)
    context.body = { ...body, id_token: bend.token?.(again) ?? again }
  })
  handler = provider.callback()
  return {
    issuer,
    bend(next: Bend) {
      bend = next
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/**
 * Goes through the provider's pages as a person would, until it sends him back.
 * @returns where it sends him, which is not fetched
 */
export async function goThrough(start: string, login: string, back: string): Promise<string> {
  const cookies = new Map<string, string>()
  let url = start
  let form: URLSearchParams | undefined
  for (let step = 0; step < 20; step++) {
    const response = await fetch(url, {
      method: form ? 'POST' : 'GET',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      redirect: 'manual',
      ...(form && { body: form }),
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    const page = await response.text()
    form = undefined
    const location = response.headers.get('location')
    if (location !== null) {
      url = new URL(location, url).href
      if (url.startsWith(back)) return url
      continue
    }
    const action = /action="([^"]+)"/.exec(page)?.[1]
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1]
    if (action === undefined || prompt === undefined) throw new Error(`${response.status} ${page.slice(0, 500)}`)
    url = new URL(action, url).href
    form = new URLSearchParams({ prompt, ...(prompt === 'login' && { login, password: 'x' }) })
  }
  throw new Error('the provider never sends anybody back')
}
