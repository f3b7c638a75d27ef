import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { concat, fromUtf8, type Random } from '#kernel'
import { endpointError } from './errors.ts'

/** Gives 32 secret bytes that are the same for the same name in every gateway; they lie outside of the index. */
export type Secrets = (name: string) => Promise<Uint8Array>

/** Seals private keys before they go into the index, so that whoever has the index alone can show no certificate. */
export type Sealer = {
  /** @param purpose what it is; it opens for the same only */
  seal(purpose: string, text: string): Uint8Array
  /** @throws endpoint.damaged */
  open(purpose: string, sealed: Uint8Array): string
}

const nonceBytes = 12
const tagBytes = 16

export async function openSealer(secret: Secrets, random: Random): Promise<Sealer> {
  const root = await secret('endpoint certificates')
  const keyFor = (purpose: string) => createHmac('sha256', root).update(purpose).digest()
  return {
    seal(purpose, text) {
      const nonce = random.bytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', keyFor(purpose), nonce)
      return concat(nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag())
    },
    open(purpose, sealed) {
      try {
        const decipher = createDecipheriv('aes-256-gcm', keyFor(purpose), sealed.subarray(0, nonceBytes))
        decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes))
        const middle = sealed.subarray(nonceBytes, sealed.length - tagBytes)
        return fromUtf8(concat(decipher.update(middle), decipher.final()))
      } catch (error) {
        throw endpointError('endpoint.damaged', { what: purpose }, error)
      }
    },
  }
}
