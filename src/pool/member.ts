/** What the federation states about one provider. Facts come from a signed directory; each will carry its evidence later. */
export type Provider = {
  /** Stable short name, unique in the directory: lower-case letters, digits, hyphens. */
  id: string
  name: string
  /** Where its shard protocol answers, e.g. `http://127.0.0.1:4101`. */
  endpoint: string
  /** X25519 public key, 32 bytes, hex; gateways derive their request key from it. */
  publicKey: string
  /** SHA-256 of the key of its TLS certificate, hex; absent where it was written down before there were such keys. */
  pin?: string
  /** ISO 3166-1 alpha-2, where the bytes lie. */
  country: string
  /** Ultimate owner; two providers of one owner count as one. */
  owner: string
  /** ISO 3166-1 alpha-2 of the ultimate owner. */
  ownerCountry: string
  /** E.g. `ISO27001`, `C5`, `SecNumCloud`. */
  attestations: string[]
  capacityBytes: number
}

/** A gateway that is enrolled: providers take requests of these and of no others. */
export type GatewayEntry = {
  id: string
  /** X25519 public key, 32 bytes, hex. */
  publicKey: string
  /** SHA-256 of the key of its TLS certificate, hex. */
  pin: string
  /** When it joined with these keys; milliseconds since 1970 UTC. */
  since: number
}

/** The pool as the federation last signed it. Its expiry stops new placement only. */
export type Directory = {
  version: number
  /** Milliseconds since 1970 UTC. */
  issuedAt: number
  expiresAt: number
  providers: Provider[]
  /** Absent in directories of before gateways were enrolled with the federation. */
  gateways?: GatewayEntry[]
}
