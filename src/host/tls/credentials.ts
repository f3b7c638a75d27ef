/** A certificate with what stands behind it, and its key; both PEM, as `node:tls` takes them. */
export type Credentials = { cert: string; key: string }

/** Where a listener's or a caller's certificate comes from. It may change at any time: new connections get the new one. */
export type CertificateSource = {
  current(): Credentials
  /** Called after each change. @returns ends that */
  onChange(heard: () => void): () => void
}
