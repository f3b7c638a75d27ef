import type { PersonRole } from '../records/people.store.ts'
import type { Journal } from '#journal'
import type { Clock, Database, Random } from '#kernel'
import type { IdentityProviders } from './identity-provider.ts'

/** Whoever's token has this value in this claim is let in, with these roles and groups. Nobody becomes an owner by a rule. */
export type MembershipRule = {
  claim: string
  is: string
  roles: Exclude<PersonRole, 'owner' | 'machine'>[]
  groups: string[]
}

/** Where people sign in: what passkeys are bound to, and which pages may ask for them. */
export type Site = {
  /** The name that passkeys are bound to (RP ID), such as `storage.example.org`. */
  rp: string
  /** What people are shown for it. */
  name: string
  /** `https://…` of the pages; also where identity providers may send people back to. */
  origins: readonly string[]
  /** The tenant of those who are nobody yet. */
  tenant: string
  /** By provider: whom it may bring in without an invitation. */
  rules: Readonly<Record<string, readonly MembershipRule[]>>
}

/** What the verbs of sign-in stand on. */
export type SignInPorts = {
  journal: Journal
  database: Database
  clock: Clock
  random: Random
  providers: IdentityProviders
  site: Site
}
