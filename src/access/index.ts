/** Who asks, and whether they may. */
export { type AccessKey, type AccessKeys, listedKeys } from './access-key.ts'
export { accessError } from './errors.ts'
export {
  chunkSignature,
  encodeRfc3986,
  type SignedRequest,
  trailerSignature,
  type Verified,
  verifyRequest,
} from './signature.ts'
