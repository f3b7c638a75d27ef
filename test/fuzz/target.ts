/**
 * Something that meets the wire. `run` must end soon, and throw nothing but errors out of a plane's table; what it finds
 * wrong by itself it asserts.
 */
export type Target = {
  name: string
  /** In latin1, so that any byte can be one. */
  seeds: string[]
  words: string[]
  run(input: Buffer): void | Promise<void>
  /** One input takes milliseconds: disks are synced, or somebody is waited for. */
  slow?: true
  /** Closes what `run` opened at its first input. */
  close?(): Promise<void>
}

/** Lines as HTTP ends them. */
export const heads = (text: string) => text.replaceAll('\n', '\r\n')

export const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')

/** @returns undefined for what is no JSON */
export function json(input: Buffer): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(input.toString()) as unknown }
  } catch {
    return undefined
  }
}

/** The field of what may be anything. */
export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}

/** An error out of a plane's table that does not say that we failed; anything else is thrown on. */
export function mustBeOurs(error: unknown): void {
  if (error instanceof Error && error.name === 'PelagoError' && field(error, 'kind') !== 'internal') return
  throw error
}

export async function refused(act: Promise<unknown>, found: string): Promise<void> {
  try {
    await act
  } catch (error) {
    return mustBeOurs(error)
  }
  throw new Error(found)
}

/** What is opened when it is first wanted, and closed when it was. */
export function lazily<T extends { close(): Promise<void> }>(open: () => Promise<T>) {
  let opened: Promise<T> | undefined
  return {
    get: () => (opened ??= open()),
    async close() {
      const found = opened
      opened = undefined
      await (await found)?.close()
    },
  }
}
