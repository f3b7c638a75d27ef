import type { Migration } from '#kernel'

/**
 * How people come in. Whatever can be shown to prove something (tokens, codes, secrets) is kept as its SHA-256 only. Rows of
 * things that run out are swept as others of their kind are made.
 */
export const signInMigrations: Migration[] = [
  {
    id: 1,
    name: 'passkeys, sessions, recovery',
    statements: [
      `CREATE TABLE passkeys (
        id {text} NOT NULL PRIMARY KEY, tenant {text} NOT NULL, person {text} NOT NULL, name {text} NOT NULL,
        public_key {blob} NOT NULL, algorithm {int} NOT NULL, aaguid {text} NOT NULL, counter {int} NOT NULL,
        backup_eligible {int} NOT NULL, backed_up {int} NOT NULL, transports {text} NOT NULL, created_at {int} NOT NULL,
        used_at {int}, regressed_at {int})`,
      'CREATE INDEX passkeys_by_person ON passkeys (person)',
      `CREATE TABLE identities (
        tenant {text} NOT NULL, issuer {text} NOT NULL, subject {text} NOT NULL, person {text} NOT NULL,
        by_rule {int} NOT NULL, created_at {int} NOT NULL, PRIMARY KEY (tenant, issuer, subject)) {clustered}`,
      'CREATE INDEX identities_by_person ON identities (person)',
      `CREATE TABLE ceremonies (
        id {text} NOT NULL PRIMARY KEY, tenant {text} NOT NULL, purpose {text} NOT NULL, person {text}, code {text},
        data {text} NOT NULL, expires_at {int} NOT NULL)`,
      'CREATE INDEX ceremonies_by_age ON ceremonies (expires_at)',
      'CREATE INDEX ceremonies_by_code ON ceremonies (code)',
      'CREATE INDEX ceremonies_by_tenant ON ceremonies (tenant, purpose)',
      `CREATE TABLE sessions (
        token {text} NOT NULL PRIMARY KEY, id {text} NOT NULL UNIQUE, tenant {text} NOT NULL, person {text} NOT NULL,
        carrier {text} NOT NULL, method {text} NOT NULL, label {text} NOT NULL, sign_out {text}, created_at {int} NOT NULL,
        seen_at {int} NOT NULL, person_epoch {int} NOT NULL, tenant_epoch {int} NOT NULL)`,
      'CREATE INDEX sessions_by_person ON sessions (person)',
      'CREATE INDEX sessions_by_age ON sessions (created_at)',
      `CREATE TABLE attempts (subject {text} NOT NULL PRIMARY KEY, since {int} NOT NULL, count {int} NOT NULL)`,
      'CREATE INDEX attempts_by_age ON attempts (since)',
      `CREATE TABLE recovery_plans (tenant {text} NOT NULL PRIMARY KEY, needed {int} NOT NULL, set_at {int} NOT NULL)`,
      `CREATE TABLE recovery_helpers (
        tenant {text} NOT NULL, person {text} NOT NULL, PRIMARY KEY (tenant, person)) {clustered}`,
      `CREATE TABLE recoveries (
        id {text} NOT NULL PRIMARY KEY, tenant {text} NOT NULL, person {text} NOT NULL, secret {text} NOT NULL,
        words {text} NOT NULL, state {text} NOT NULL, requested_at {int} NOT NULL, ready_at {int}, ended_at {int})`,
      'CREATE INDEX recoveries_by_tenant ON recoveries (tenant, state)',
      `CREATE TABLE recovery_approvals (
        recovery {text} NOT NULL, helper {text} NOT NULL, approved_at {int} NOT NULL,
        PRIMARY KEY (recovery, helper)) {clustered}`,
      `CREATE TABLE notices (
        tenant {text} NOT NULL, number {int} NOT NULL, kind {text} NOT NULL, about {text} NOT NULL, at {int} NOT NULL,
        facts {text} NOT NULL, PRIMARY KEY (tenant, number)) {clustered}`,
    ],
  },
]
