/** A request to somebody outside whose address came from a configuration, a tenant or a stranger. */
export type EgressRequest = {
  url: string
  method?: 'GET' | 'POST'
  headers?: Readonly<Record<string, string>>
  body?: string
  signal?: AbortSignal
}

export type EgressAnswer = { status: number; headers: Readonly<Record<string, string>>; body: Uint8Array }

/**
 * The one way out for addresses that others name: webhooks, keys of issuers, registered stores. Private addresses, redirects,
 * and answers that are long or late are refused.
 * @throws egress.refused, egress.failed, egress.large, egress.slow
 */
export type EgressFetch = (request: EgressRequest) => Promise<EgressAnswer>
