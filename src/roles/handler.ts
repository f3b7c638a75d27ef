import type { Operation } from '#api'
import type { Call } from '#kernel'

/** One operation of the API with what answers it. An edge checks the input before and the output after. */
export type Handler = {
  operation: Operation<unknown, unknown>
  answer(call: Call, input: unknown): Promise<unknown>
}

/** Ties an operation to its answer; types follow from the operation. */
export function handles<I, O>(operation: Operation<I, O>, answer: (call: Call, input: I) => Promise<O> | O): Handler {
  return {
    operation,
    // The edge has checked the input against the operation's schema, which is where its type comes from.
    answer: async (call, input) => answer(call, input as I),
  }
}
