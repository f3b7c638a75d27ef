import type { Target } from '../client.ts'

export type Verb = 'PUT' | 'GET' | 'RANGE' | 'HEAD' | 'LIST'

/** What the load process is to do in one go. */
export type Job = {
  target: Target
  bucket: string
  /** 32 bytes in hex, of which all bodies are made. */
  seed: string
  verb: Verb | 'MIXED'
  /** Bytes of each object. */
  size: number
  count: number
  atOnce: number
  /** Objects are read as `readFrom/0` to `readFrom/(keys - 1)`, and written as `writeTo/0` to `writeTo/(count - 1)`. */
  readFrom: string
  keys: number
  writeTo: string
  /** Compare what comes with what was written, byte for byte. */
  compare: boolean
}

export type JobResult = {
  ms: number
  /** Of each request, in the order they were begun. */
  latencies: Float64Array
  failed: number
  /** The first few failures in words. */
  failures: string[]
  /** Of bodies, either way. */
  bytes: number
  /** What the load process itself used. */
  cpuMs: number
}
