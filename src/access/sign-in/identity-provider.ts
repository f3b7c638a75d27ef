/** What an identity provider says about somebody, once its token has been judged. */
export type Claims = {
  issuer: string
  subject: string
  /** Only where the provider has verified it. */
  email: string | undefined
  name: string | undefined
  /** Everything that the token says, for rules. */
  all: Readonly<Record<string, unknown>>
  /** Where to sign out there as well. */
  signOut: string | undefined
}

/** What ties the beginning of a sign-in to its end. */
export type ProviderTie = { redirectUri: string; state: string; nonce: string; verifier: string }

/**
 * OpenID Connect providers that were configured. Code flow with PKCE; issuer and audience are pinned by the configuration.
 * Source: OpenID Connect Core 1.0 sections 3.1.2 and 3.1.3, RFC 7636, RFC 9207.
 */
export type IdentityProviders = {
  list(): { id: string; name: string }[]
  /** Where to send somebody. @throws provider.unknown, provider.failed */
  begin(id: string, tie: ProviderTie, signal: AbortSignal): Promise<string>
  /**
   * Judges what came back.
   * @param answer the query that the provider gave to the redirection
   * @throws provider.* for each thing that may be wrong
   */
  finish(id: string, tie: ProviderTie, answer: string, signal: AbortSignal): Promise<Claims>
}
