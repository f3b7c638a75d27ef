import type { Migration } from '#kernel'

/**
 * The object index. A version is one write of an object; its bytes are bodies (one, or one per part), a body is segments,
 * a segment is k+m shards whose holders are named by a placement row shared by many segments, so that millions of segments
 * cost no row per shard. Keys are UTF-8 bytes, which both databases order as S3 lists them.
 */
export const indexMigrations: Migration[] = [
  {
    id: 1,
    name: 'object index',
    statements: [
      `CREATE TABLE buckets (
        id {text} NOT NULL PRIMARY KEY, name {text} NOT NULL UNIQUE, tenant {text} NOT NULL, created_at {int} NOT NULL,
        policy {text} NOT NULL, policy_epoch {int} NOT NULL)`,
      `CREATE TABLE objects (
        bucket {text} NOT NULL, key {blob} NOT NULL, version {text} NOT NULL, size {int} NOT NULL, etag {text} NOT NULL,
        modified_at {int} NOT NULL, headers {text} NOT NULL, checksum {text}, multipart {int} NOT NULL,
        PRIMARY KEY (bucket, key)) {clustered}`,
      `CREATE TABLE parts (
        version {text} NOT NULL, number {int} NOT NULL, body {text} NOT NULL, size {int} NOT NULL, etag {text} NOT NULL,
        modified_at {int} NOT NULL, checksum {text}, PRIMARY KEY (version, number)) {clustered}`,
      `CREATE TABLE uploads (
        id {text} NOT NULL PRIMARY KEY, bucket {text} NOT NULL, key {blob} NOT NULL, created_at {int} NOT NULL,
        headers {text} NOT NULL, checksum {text})`,
      'CREATE INDEX uploads_by_key ON uploads (bucket, key, id)',
      `CREATE TABLE finished_uploads (
        id {text} NOT NULL PRIMARY KEY, bucket {text} NOT NULL, key {blob} NOT NULL, result {text} NOT NULL, finished_at {int} NOT NULL)`,
      'CREATE INDEX finished_uploads_by_age ON finished_uploads (finished_at)',
      `CREATE TABLE placements (id {text} NOT NULL PRIMARY KEY, holders {text} NOT NULL)`,
      `CREATE TABLE segments (
        body {text} NOT NULL, position {int} NOT NULL, bucket {text} NOT NULL, generation {int} NOT NULL, segment {text} NOT NULL,
        size {int} NOT NULL, k {int} NOT NULL, m {int} NOT NULL, placement {text} NOT NULL, names {text} NOT NULL, epoch {int} NOT NULL,
        data_key {blob} NOT NULL, integrity_key {blob} NOT NULL, commitment {blob} NOT NULL,
        PRIMARY KEY (body, position)) {clustered}`,
      'CREATE INDEX segments_by_placement ON segments (placement, body, position)',
      `CREATE TABLE gaps (
        body {text} NOT NULL, position {int} NOT NULL, shard {int} NOT NULL, reason {text} NOT NULL, since {int} NOT NULL,
        PRIMARY KEY (body, position, shard)) {clustered}`,
      `CREATE TABLE intents (id {text} NOT NULL PRIMARY KEY, state {text} NOT NULL, expires_at {int} NOT NULL)`,
      'CREATE INDEX intents_by_age ON intents (expires_at)',
      `CREATE TABLE intent_shards (intent {text} NOT NULL, name {text} NOT NULL, provider {text} NOT NULL, PRIMARY KEY (intent, name)) {clustered}`,
      `CREATE TABLE dead_bodies (body {text} NOT NULL PRIMARY KEY, not_before {int} NOT NULL)`,
      'CREATE INDEX dead_bodies_by_age ON dead_bodies (not_before)',
      `CREATE TABLE strays (name {text} NOT NULL PRIMARY KEY, provider {text} NOT NULL, not_before {int} NOT NULL)`,
      'CREATE INDEX strays_by_age ON strays (not_before)',
    ],
  },
  {
    // Small objects share packs: a pack is a body of one segment whose scope is a class of equal policies, and an object
    // row says itself where in the pack it lies. Names of packs ascend, so that rows about them are appended.
    id: 2,
    name: 'packs',
    statements: [
      'ALTER TABLE segments RENAME COLUMN bucket TO scope',
      ...[
        'pack {text}',
        'slot {int}',
        'shard {int}',
        'start {int}',
        'epoch {int}',
        'data_key {blob}',
        'commitment {blob}',
      ].map((column) => `ALTER TABLE objects ADD COLUMN ${column}`),
      'CREATE TABLE pack_classes (id {text} NOT NULL PRIMARY KEY, policy {text} NOT NULL)',
      `CREATE TABLE packs (id {text} NOT NULL PRIMARY KEY, class {text} NOT NULL, bytes {int} NOT NULL, live {int} NOT NULL) {clustered}`,
      `CREATE TABLE packed (
        pack {text} NOT NULL, slot {int} NOT NULL, bucket {text} NOT NULL, key {blob} NOT NULL, PRIMARY KEY (pack, slot)) {clustered}`,
      'CREATE TABLE loose_packs (pack {text} NOT NULL PRIMARY KEY, class {text} NOT NULL, must {int} NOT NULL)',
      'CREATE INDEX loose_packs_by_class ON loose_packs (class, must)',
      // Counted as segments come and go, because counting millions takes too long.
      `CREATE TABLE placement_counts (placement {text} NOT NULL, scope {text} NOT NULL, k {int} NOT NULL, m {int} NOT NULL,
        segments {int} NOT NULL, bytes {int} NOT NULL, PRIMARY KEY (placement, scope, k, m)) {clustered}`,
      `INSERT INTO placement_counts (placement, scope, k, m, segments, bytes)
        SELECT placement, scope, k, m, COUNT(*), SUM(size) FROM segments GROUP BY placement, scope, k, m`,
      'CREATE TABLE policy_moves (bucket {text} NOT NULL PRIMARY KEY, after {blob} NOT NULL)',
    ],
  },
  {
    id: 3,
    name: 'etags of a bucket',
    expands: true,
    statements: [`ALTER TABLE buckets ADD COLUMN etags {text} NOT NULL DEFAULT 'md5'`],
    down: ['ALTER TABLE buckets DROP COLUMN etags'],
  },
  {
    id: 4,
    name: 'revision of a bucket',
    expands: true,
    statements: ['ALTER TABLE buckets ADD COLUMN revision {int} NOT NULL DEFAULT 1'],
    down: ['ALTER TABLE buckets DROP COLUMN revision'],
  },
  {
    // Nothing wrapped by an epoch below the floor commits any more, so that the keys of those epochs can be destroyed.
    // So it does not only add: a program that knows no floor would commit under keys that are destroyed afterwards.
    id: 5,
    name: 'rotation of keys',
    statements: [
      'ALTER TABLE buckets ADD COLUMN key_floor {int} NOT NULL DEFAULT 0',
      'ALTER TABLE pack_classes ADD COLUMN key_floor {int} NOT NULL DEFAULT 0',
      `CREATE TABLE key_moves (
        scope {text} NOT NULL PRIMARY KEY, target {int} NOT NULL, state {text} NOT NULL, begun_at {int} NOT NULL,
        not_before {int} NOT NULL, moved {int} NOT NULL, stuck {int} NOT NULL,
        after_key {blob}, after_body {text} NOT NULL, after_position {int} NOT NULL)`,
    ],
    // Rotations that are under way stop where they are; nothing is destroyed, and nothing is lost.
    down: [
      'DROP TABLE key_moves',
      'ALTER TABLE pack_classes DROP COLUMN key_floor',
      'ALTER TABLE buckets DROP COLUMN key_floor',
    ],
  },
  {
    id: 6,
    name: 'buckets of a tenant in pages',
    expands: true,
    statements: ['CREATE INDEX buckets_by_tenant ON buckets (tenant, name)'],
    down: ['DROP INDEX buckets_by_tenant'],
  },
  {
    id: 7,
    name: 'quotas',
    expands: true,
    statements: [
      'ALTER TABLE buckets ADD COLUMN quotas {int} NOT NULL DEFAULT 0',
      `CREATE TABLE quotas (
        scope {text} NOT NULL PRIMARY KEY, tenant {text} NOT NULL, bucket {text}, bytes_limit {int}, objects_limit {int},
        bytes {int} NOT NULL, objects {int} NOT NULL, counted_to {blob}, set_at {int} NOT NULL)`,
      'CREATE INDEX quotas_by_tenant ON quotas (tenant, scope)',
      `CREATE TABLE quota_leases (
        id {text} NOT NULL PRIMARY KEY, scope {text} NOT NULL, bytes {int} NOT NULL, objects {int} NOT NULL, expires_at {int} NOT NULL)`,
      'CREATE INDEX quota_leases_by_scope ON quota_leases (scope)',
      'CREATE INDEX quota_leases_by_age ON quota_leases (expires_at)',
    ],
    down: ['DROP TABLE quota_leases', 'DROP TABLE quotas', 'ALTER TABLE buckets DROP COLUMN quotas'],
  },
  {
    // Older gateways neither look at it nor raise it.
    id: 8,
    name: 'newest directory',
    expands: true,
    statements: ['CREATE TABLE directory_seen (id {int} NOT NULL PRIMARY KEY, version {int} NOT NULL)'],
    down: ['DROP TABLE directory_seen'],
  },
  {
    id: 9,
    name: 'erasures',
    expands: true,
    statements: [
      `CREATE TABLE erasures (
        scope {text} NOT NULL, before {int} NOT NULL, tenant {text} NOT NULL, bucket {text} NOT NULL, cause {text} NOT NULL,
        destroyed_at {int}, epochs {int} NOT NULL, PRIMARY KEY (scope, before)) {clustered}`,
      'CREATE INDEX erasures_by_tenant ON erasures (tenant, before, scope)',
    ],
    down: ['DROP TABLE erasures'],
  },
  {
    // Hashes and names only: nothing in it opens anything.
    id: 10,
    name: 'recovery kits',
    expands: true,
    statements: [
      `CREATE TABLE recovery_kits (
        id {text} NOT NULL PRIMARY KEY, gateway {text} NOT NULL, root {text} NOT NULL, gateway_key {text} NOT NULL,
        anchor {text} NOT NULL, proof {text} NOT NULL, made_at {int} NOT NULL, tested_at {int}, discarded_at {int})`,
    ],
    down: ['DROP TABLE recovery_kits'],
  },
]
