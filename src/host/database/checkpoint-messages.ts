/** What the thread is started with. */
export type CheckpointData = {
  file: string
  /** How long the thread waits for locks of others, milliseconds. */
  busyMs: number
}
export type CheckpointRequest = 'pass' | 'close'
export type CheckpointReply = { failed?: string }
