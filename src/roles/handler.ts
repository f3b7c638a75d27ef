import type { Principal } from '#access'
import type { Operation } from '#api'
import type { Call } from '#kernel'

/** A call that came over the API, with what its head said. */
export type ApiCall = Call & {
  /** Who asks, unless the operation is for anyone. */
  principal: Principal | undefined
  /** Whoever runs the server asks: he sees what its tenants share, and may name any of them. */
  house: boolean
  /** The revision that the caller has seen (`If-Match`); a change to another one is refused. */
  expected: string | undefined
  /** From where it is asked: the other end of the connection, or whom a trusted proxy there names. */
  address: string
  /** The request as it came: for whoever has to look at a signature over it. `target` is path and query. */
  method: string
  target: string
  body: Uint8Array
  /** Headers of the request, names in lower case. */
  headers: Readonly<Record<string, string | undefined>>
  /** Sets a cookie with the answer, as `Set-Cookie` says it (RFC 6265). */
  setCookie(cookie: string): void
}

/** One event of a stream. `id`: a reader that lost his connection says it when he comes again. It holds no line break. */
export type StreamEvent<O = unknown> = { id?: string; data: O }

/** One operation of the API with what answers it. An edge checks the input before and the output after. */
export type Handler =
  | { operation: Operation<unknown, unknown>; answer(call: ApiCall, input: unknown): Promise<unknown> }
  | {
      operation: Operation<unknown, unknown>
      /** @param last the id of the last event that the reader has had */
      events(call: ApiCall, input: unknown, last: string | undefined): AsyncIterable<StreamEvent>
    }

/** Ties an operation to its answer; types follow from the operation. */
export function handles<I, O>(
  operation: Operation<I, O>,
  answer: (call: ApiCall, input: I) => Promise<O> | O,
): Handler {
  return {
    operation,
    // The edge has checked the input against the operation's schema, which is where its type comes from.
    answer: async (call, input) => answer(call, input as I),
  }
}

/** Ties an operation that streams to its events. They end when the call's signal says so. */
export function streams<I, O>(
  operation: Operation<I, O>,
  events: (call: ApiCall, input: I, last: string | undefined) => AsyncIterable<StreamEvent<O>>,
): Handler {
  return { operation, events: (call, input, last) => events(call, input as I, last) }
}
