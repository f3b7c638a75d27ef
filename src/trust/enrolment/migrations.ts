import type { Migration } from '#kernel'

/** Tables of enrolment: who was invited, who is in, and keys that never come back. */
export const enrolmentMigrations: Migration[] = [
  {
    id: 1,
    name: 'members and invitations',
    statements: [
      `CREATE TABLE members (
        id {text} NOT NULL PRIMARY KEY, kind {text} NOT NULL, facts {text} NOT NULL, public_key {text} NOT NULL UNIQUE,
        identity {blob}, pin {text} NOT NULL, endpoint {text} NOT NULL, capacity {int} NOT NULL, state {text} NOT NULL,
        since {int} NOT NULL, revoked_at {int})`,
      'CREATE INDEX members_by_pin ON members (pin)',
      `CREATE TABLE invitations (
        id {text} NOT NULL PRIMARY KEY, secret {text} NOT NULL, kind {text} NOT NULL, member {text} NOT NULL,
        facts {text} NOT NULL, expires_at {int} NOT NULL, pin {text})`,
      'CREATE INDEX invitations_by_age ON invitations (expires_at)',
      'CREATE INDEX invitations_by_member ON invitations (member)',
      'CREATE TABLE revoked_keys (key_hash {text} NOT NULL PRIMARY KEY, member {text} NOT NULL, revoked_at {int} NOT NULL)',
      'CREATE TABLE join_attempts (subject {text} NOT NULL PRIMARY KEY, since {int} NOT NULL, count {int} NOT NULL)',
    ],
  },
]
