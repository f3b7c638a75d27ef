import { choice, fields, list, optional, text } from '#api'

/** Where people sign in. Without it they do so at `localhost`, by passkey. */
export const signInConfig = fields({
  /** The name that passkeys are bound to; whoever changes it makes all of them void. */
  rp: text({ min: 1, max: 253, pattern: '^[a-z0-9.-]+$', means: 'must be a host name in small letters' }),
  name: text({ min: 1, max: 100 }),
  origins: list(
    text({ max: 300, pattern: '^https?://[a-z0-9.-]+(:[0-9]+)?$', means: 'must be like https://storage.example.org' }),
    16,
  ),
  providers: list(
    fields({
      id: text({ min: 1, max: 64, pattern: '^[a-z0-9-]+$', means: 'must be a short name' }),
      name: text({ min: 1, max: 100 }),
      issuer: text({ max: 500, pattern: '^https?://', means: 'must be an address' }),
      clientId: text({ min: 1, max: 300 }),
      clientSecretFile: optional(text({ min: 1, max: 4096 })),
      scopes: list(text({ min: 1, max: 100 }), 20),
      /** Whoever's token has this value in this claim comes in without an invitation. */
      rules: list(
        fields({
          claim: text({ min: 1, max: 200 }),
          is: text({ min: 1, max: 500 }),
          roles: list(choice('admin', 'operator', 'clerk', 'auditor'), 4),
          groups: list(text({ min: 1, max: 64 }), 20),
        }),
        100,
      ),
    }),
    16,
  ),
})
