/** A step of something that is traced, until it ends. Facts hold no name of a bucket, object, key or tenant. */
export type Span = {
  note(name: string, value: string | number): void
  /** @param error why it failed */
  end(error?: unknown): void
}

/** Where a trace stands, so that what is done elsewhere can be told as a part of it. */
export type Trail = { readonly trail: unique symbol }

/**
 * Tells what takes how long within the request that is under way, where that is traced; else nothing happens and nothing is
 * allocated. The request is found by the run time, not handed from verb to verb.
 */
export type Spans = {
  /** Begins a step without steps of its own; undefined where nothing is traced. */
  begin(name: string): Span | undefined
  /** Runs `act` as a step that has steps of its own. */
  within<T>(name: string, act: () => Promise<T>): Promise<T>
  current(): Trail | undefined
  /** Runs `act` as a step of several requests at once, such as the pack that all of them wait for. */
  joint<T>(name: string, trails: readonly (Trail | undefined)[], act: () => Promise<T>): Promise<T>
}

/** Traces nothing. */
export const noSpans: Spans = {
  begin: () => undefined,
  within: (_, act) => act(),
  current: () => undefined,
  joint: (_, __, act) => act(),
}
