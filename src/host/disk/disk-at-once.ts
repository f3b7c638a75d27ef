/** Calls of the system that on the average take longer than this wait for the disk, milliseconds. */
const slowMs = 2
/** The average moves by this part of each call: whoever was only robbed of the processor once is not taken for a slow disk. */
const share = 1 / 8
/** For so long afterwards the calls of this disk go to other threads. */
const apartMs = 1000

/**
 * Does a short call of the system here or, when this disk lets calls wait, on another thread.
 * @param here the call itself; what it throws rejects
 * @param apart the same on another thread
 */
export type AtOnce = <T>(here: () => T, apart: () => Promise<T>) => Promise<T>

/**
 * To create, to write and to rename a short file only changes the memory of the system, and takes less time than to hand each of
 * them to another thread and to be told of its end. But a disk that is behind may let one of them wait, and everybody else in
 * this process with it: after a few such calls, or one that took really long, the next ones go elsewhere for a while.
 * @param now a clock that never goes back, milliseconds
 */
export function openAtOnce(now: () => number = () => performance.now()): AtOnce {
  let apartUntil = Number.NEGATIVE_INFINITY
  let average = 0
  return async (here, apart) => {
    const began = now()
    if (began < apartUntil) return apart()
    try {
      return here()
    } finally {
      const ended = now()
      average += (ended - began - average) * share
      if (average > slowMs) {
        apartUntil = ended + apartMs
        average = 0
      }
    }
  }
}
