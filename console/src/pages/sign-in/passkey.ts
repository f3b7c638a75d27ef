type Json = Readonly<Record<string, unknown>>

/** Whether this browser, on this page, can be asked for passkeys. */
export const knowsPasskeys = () =>
  typeof PublicKeyCredential === 'function' && 'parseRequestOptionsFromJSON' in PublicKeyCredential

/**
 * Asks for a passkey that is registered here. What comes back is as the API takes it; bytes are base64url.
 * Source: WebAuthn level 3, sections 5.1.4, 5.1.8 and 5.1.10.
 * @throws DOMException when the person or the device ends the question
 */
export async function answerWithPasskey(options: unknown) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as PublicKeyCredentialRequestOptionsJSON)
  const answer = jsonOf(await navigator.credentials.get({ publicKey }))
  const { clientDataJSON, authenticatorData, signature, userHandle } = answer.response
  return {
    id: textOf(answer.id),
    clientData: textOf(clientDataJSON),
    authenticatorData: textOf(authenticatorData),
    signature: textOf(signature),
    ...(typeof userHandle === 'string' && userHandle !== '' && { userHandle }),
  }
}

/** Has a new passkey made. Source: WebAuthn level 3, sections 5.1.3 and 5.1.9. @throws DOMException */
export async function makePasskey(options: unknown) {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options as PublicKeyCredentialCreationOptionsJSON)
  const answer = jsonOf(await navigator.credentials.create({ publicKey }))
  const { clientDataJSON, attestationObject, transports } = answer.response
  return {
    id: textOf(answer.id),
    clientData: textOf(clientDataJSON),
    attestation: textOf(attestationObject),
    ...(Array.isArray(transports) && { transports: transports.map(textOf) }),
  }
}

function jsonOf(credential: Credential | null): Json & { response: Json } {
  if (!(credential instanceof PublicKeyCredential)) throw new DOMException('no passkey was given', 'NotAllowedError')
  const json: unknown = credential.toJSON()
  return json as Json & { response: Json }
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new DOMException('the passkey left something out', 'DataError')
  return value
}
