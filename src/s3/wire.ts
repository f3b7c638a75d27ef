import type { AdmissionLimits } from './admission.ts'
import type { OperationName } from './operation-names.ts'

/** One S3 request as the HTTP adapter hands it in. Header names in lower case; `target` as it was sent. */
export type S3Request = {
  method: string
  target: string
  headers: Readonly<Record<string, string>>
  body: AsyncIterable<Uint8Array>
  /** All of the body at once, where it is small; instead of `body`, and once. The bytes become the caller's. */
  whole?: (() => Promise<Uint8Array>) | undefined
  /** Aborted when the client leaves. */
  signal: AbortSignal
  /** From where it is asked: the other end of the connection, or whom a trusted proxy there names. */
  from?: string | undefined
  /** Nobody on the way could read it. */
  secure?: boolean | undefined
}

export type S3Response = {
  status: number
  headers: Record<string, string>
  /** A stream is sent with the `content-length` that the headers say; if it breaks off, the connection is cut. */
  body?: Uint8Array | AsyncIterable<Uint8Array>
  /** What was asked, for metrics. */
  operation?: OperationName
  /** To be called once, when the answer is out or nobody wants it any more. */
  done?: (() => void) | undefined
}

export type S3Handler = (request: S3Request) => Promise<S3Response>

export type S3Config = {
  region: string
  /** Names under which the endpoint is reached; `bucket.NAME` addresses a bucket. */
  hostnames: string[]
  /** Without it nobody is turned away. */
  admission?: AdmissionLimits
}
