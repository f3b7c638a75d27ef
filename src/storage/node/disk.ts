/**
 * What a provider's node needs of a file system. Paths are relative, with `/`.
 * What was not synced may be gone or torn after a crash, directory entries too.
 */
export type Disk = {
  /** Creates a new file. @throws disk.exists */
  create(path: string): Promise<NewFile>
  /** Opens for reading; undefined when there is none. */
  open(path: string): Promise<DiskFile | undefined>
  /** Replaces `to` in one step. Durable after `syncDirectory` of both parents. */
  rename(from: string, to: string): Promise<void>
  /** Removes a file; a missing one is no error. */
  remove(path: string): Promise<void>
  /** Creates a directory and its parents, durably. */
  makeDirectory(path: string): Promise<void>
  /** Names in a directory, ascending; empty when there is none. */
  list(path: string): Promise<string[]>
  syncDirectory(path: string): Promise<void>
  freeBytes(): Promise<number>
}

/** A file that is being written. */
export type NewFile = {
  /** Appends. The bytes must not change until the promise settles. @throws disk.full */
  write(bytes: Uint8Array): Promise<void>
  /** Resolves when all that was written would be there after a crash. @throws disk.full */
  sync(): Promise<void>
  close(): Promise<void>
}

/** A file that is being read. */
export type DiskFile = {
  /** Fills `into` from `offset` on. @returns how many bytes there were: fewer than asked for only at the end of the file */
  read(offset: number, into: Uint8Array): Promise<number>
  size(): Promise<number>
  /** Resolves when all that is in the file would be there after a crash. */
  sync(): Promise<void>
  close(): Promise<void>
}
