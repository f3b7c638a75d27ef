import { Worker } from 'node:worker_threads'
import type { CheckpointData, CheckpointReply, CheckpointRequest } from './checkpoint-messages.ts'
import type { LogPosition } from './sqlite-connection.ts'

/** Pages that the log may hold before it is copied. */
export const logPages = 4096
/** Against that: what may be left for the pass that writers wait for, and when it is tried again after one that was kept from the end. */
const near = 1 / 16
const again = 1 / 4
/** All that the log may hold before writers wait. */
const most = 8
/** When nothing happens, less is copied too, so that opening after a crash has little to do. */
const fewWhenIdle = 1 / 8
const idleMs = 1000
/** Passes beside the writers, before they have to wait for one. */
const passes = 3

/** Keeps the write-ahead log short. The copying is done on another thread, and mostly beside the writers. */
export type Checkpoints = {
  /** To be awaited before each commit; most times there is nothing to wait for. */
  room(position: LogPosition): Promise<void> | undefined
  /** To be told after each commit. */
  committed(position: LogPosition): void
  close(): Promise<void>
}

type Ports = {
  position(): LogPosition | undefined
  /** The same on the caller's thread, for when there is no other. */
  checkpoint(): void
  /** Called while nobody commits and the log is wholly copied. */
  restart(): Promise<void>
}

/** @param due pages that the log may hold before it is copied */
export function openCheckpoints(data: CheckpointData, due: number, ports: Ports): Checkpoints {
  let thread: Thread | undefined
  let copying: Promise<void> | undefined
  let finish = false
  /** Where the log must have grown to before it is tried again: others' readers may keep a pass from reaching the end. */
  let notBefore = 0

  const backlog = () => {
    const { pages, copied } = ports.position() ?? { pages: 0, copied: 0 }
    return { pages, left: pages - copied }
  }
  const pass = async () => {
    if (!thread || thread.failed()) thread = startThread(data)
    await thread.pass()
  }
  const copy = async () => {
    try {
      for (let turn = 0; turn < passes; turn++) {
        await pass()
        const { left } = backlog()
        if (left === 0) return
        if (left <= due * near) break
      }
      finish = true
    } finally {
      notBefore = backlog().pages + due * again
    }
  }
  const begin = (act: () => Promise<void>) => {
    // A failure is met again in `makeRoom`, on the caller's thread, before the log can grow out of bounds.
    const settled = () => {
      copying = undefined
    }
    copying ??= act().then(settled, settled)
    return copying
  }
  const idle = setTimeout(() => {
    if (!finish && backlog().left >= due * fewWhenIdle) void begin(copy)
  }, idleMs)
  idle.unref()

  const makeRoom = async (): Promise<void> => {
    await copying
    if (finish) {
      finish = false
      await begin(pass)
    }
    let { pages, left } = backlog()
    if (left > due * most && pages >= notBefore) {
      notBefore = pages + due * again
      ports.checkpoint()
      ;({ pages, left } = backlog())
    }
    if (pages > 0 && left === 0) {
      await ports.restart()
      notBefore = 0
    }
  }
  return {
    room({ pages, copied }) {
      const left = pages - copied
      const settled = (pages === 0 || left > 0) && left <= due * most && !finish
      return settled ? undefined : makeRoom()
    },
    committed({ pages, copied }) {
      idle.refresh()
      if (pages - copied >= due && pages >= notBefore) void begin(copy)
    },
    async close() {
      clearTimeout(idle)
      await copying
      await thread?.close()
    },
  }
}

type Thread = { pass(): Promise<void>; failed(): boolean; close(): Promise<void> }

function startThread(data: CheckpointData): Thread {
  const worker = new Worker(new URL('./checkpoint-worker.ts', import.meta.url), { workerData: data })
  let waiting: { resolve(): void; reject(error: Error): void } | undefined
  let failure: Error | undefined
  const settle = (error?: Error) => {
    if (error) waiting?.reject(error)
    else waiting?.resolve()
    waiting = undefined
  }
  const ask = (request: CheckpointRequest) => worker.postMessage(request, [])
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  worker.on('message', ({ failed }: CheckpointReply) => settle(failed === undefined ? undefined : new Error(failed)))
  worker.on('error', (error) => {
    failure = error instanceof Error ? error : new Error(String(error))
    settle(failure)
  })
  worker.on('exit', () => {
    failure ??= new Error('the thread that copies the log has ended')
    settle(failure)
  })
  return {
    pass() {
      if (failure) return Promise.reject(failure)
      worker.ref()
      return new Promise<void>((resolve, reject) => {
        waiting = { resolve, reject }
        ask('pass')
      }).finally(() => worker.unref())
    },
    failed: () => failure !== undefined,
    async close() {
      if (!failure) {
        worker.ref()
        ask('close')
      }
      await exited
    },
  }
}
