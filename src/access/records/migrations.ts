import type { Migration } from '#kernel'

/**
 * Who there is and what they may do. A person belongs to one tenant. Everything that a request's standing depends on moves
 * `access_changes` on in the same transaction, so that other processes learn of it by reading one row.
 */
export const accessMigrations: Migration[] = [
  {
    id: 1,
    name: 'tenants, people, keys, policies',
    statements: [
      'CREATE TABLE access_changes (id {int} NOT NULL PRIMARY KEY, sequence {int} NOT NULL)',
      'INSERT INTO access_changes (id, sequence) VALUES (1, 1)',
      `CREATE TABLE tenants (
        id {text} NOT NULL PRIMARY KEY, name {text} NOT NULL, state {text} NOT NULL, epoch {int} NOT NULL,
        open_to_public {int} NOT NULL, created_at {int} NOT NULL)`,
      `CREATE TABLE people (
        id {text} NOT NULL PRIMARY KEY, tenant {text} NOT NULL, name {text} NOT NULL, display_name {text} NOT NULL, email {text},
        state {text} NOT NULL, epoch {int} NOT NULL, created_at {int} NOT NULL, UNIQUE (tenant, name))`,
      'CREATE TABLE person_roles (person {text} NOT NULL, role {text} NOT NULL, PRIMARY KEY (person, role)) {clustered}',
      `CREATE TABLE people_groups (
        id {text} NOT NULL PRIMARY KEY, tenant {text} NOT NULL, name {text} NOT NULL, created_at {int} NOT NULL,
        UNIQUE (tenant, name))`,
      `CREATE TABLE memberships (
        people_group {text} NOT NULL, person {text} NOT NULL, PRIMARY KEY (people_group, person)) {clustered}`,
      'CREATE INDEX memberships_by_person ON memberships (person)',
      `CREATE TABLE access_keys (
        id {text} NOT NULL PRIMARY KEY, tenant {text} NOT NULL, person {text} NOT NULL, note {text} NOT NULL,
        keyring {int} NOT NULL, secret {blob} NOT NULL, state {text} NOT NULL, created_at {int} NOT NULL, used_at {int})`,
      'CREATE INDEX access_keys_by_person ON access_keys (person)',
      `CREATE TABLE access_policies (
        holder {text} NOT NULL, name {text} NOT NULL, tenant {text} NOT NULL, document {text} NOT NULL, set_at {int} NOT NULL,
        PRIMARY KEY (holder, name)) {clustered}`,
      `CREATE TABLE bucket_access (
        bucket {text} NOT NULL PRIMARY KEY, bucket_id {text} NOT NULL, tenant {text} NOT NULL, document {text} NOT NULL,
        set_at {int} NOT NULL)`,
      `CREATE TABLE assumable_roles (
        id {text} NOT NULL PRIMARY KEY, tenant {text} NOT NULL, name {text} NOT NULL, trust {text} NOT NULL,
        longest_seconds {int} NOT NULL, epoch {int} NOT NULL, created_at {int} NOT NULL, UNIQUE (tenant, name))`,
      `CREATE TABLE web_issuers (
        tenant {text} NOT NULL, issuer {text} NOT NULL, audiences {text} NOT NULL, keys_url {text} NOT NULL,
        created_at {int} NOT NULL, PRIMARY KEY (tenant, issuer)) {clustered}`,
    ],
  },
]
