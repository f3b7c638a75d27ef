/** A role that runs in this process. */
export type Running = { stop(): Promise<void> }
