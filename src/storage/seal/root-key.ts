/** A key as it is kept: readable only with the root key of that name. */
export type WrappedByRoot = { root: string; wrapped: Uint8Array }

/**
 * The key above all keys, wherever it lies: in a process of its own, behind a key management system. It wraps the keys of
 * epochs and nothing else. `context` is bound to what is wrapped: it opens with the same context alone.
 * Errors: `key.root` when it is not the root key under which was wrapped, `key.unavailable` and `key.busy` when there is no
 * answer now.
 */
export type RootKey = {
  /** Name of the root key that wraps now. It is another one after the root key was rotated. */
  newest(): Promise<string>
  wrap(plain: Uint8Array, context: string): Promise<WrappedByRoot>
  /** `root` is empty for what was wrapped before root keys had names. */
  unwrap(from: WrappedByRoot, context: string): Promise<Uint8Array>
  /** Wraps anew under the newest root key; the key itself need not leave whoever holds the root. */
  rewrap(from: WrappedByRoot, context: string): Promise<WrappedByRoot>
}
