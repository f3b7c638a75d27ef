import type { Role } from '#kernel'

/**
 * Who asks, once it is known. `kind` says by what: the token of the data folder, a session, an access key, a token of an issuer, or
 * the signature of a machine.
 */
export type Principal = {
  tenant: string
  actor: string
  roles: readonly Role[]
  kind: 'local' | 'session' | 'key' | 'token' | 'signature'
  /** The session's name, where there is one. */
  session?: string
  /** Where the proof covers the body too: throws an error of kind `denied` unless this is it. To be called before anything is done. */
  checkBody?(body: Uint8Array): void
}

/**
 * Whether somebody runs the server for all of its tenants: who holds the token of its data folder, or belongs to no tenant at all, as
 * another process of the house does. No role of a tenant comes to that.
 */
export function runsServer({ kind, tenant }: Principal): boolean {
  return kind === 'local' || tenant === ''
}

/** What is known of a request before its body is read. */
export type RequestHead = {
  method: string
  /** Path and query as they came. */
  target: string
  /** Names in lower case; what came more than once is joined by commas. */
  headers: Readonly<Record<string, string | undefined>>
  /** From where it is asked: the other end of the connection, or whom a trusted proxy there names. */
  address: string
}

/**
 * Finds out who asks.
 * @returns undefined when this way of proving it was not used
 * @throws an error of kind `denied` when it was used and does not hold; the edge answers 401 with its words
 */
export type Authenticate = (head: RequestHead) => Promise<Principal | undefined>

/** Asks one way after the other; the first that knows the asker counts. */
export function anyOf(ways: readonly Authenticate[]): Authenticate {
  return async (head) => {
    for (const way of ways) {
      const principal = await way(head)
      if (principal) return principal
    }
    return undefined
  }
}
