import type { Migration } from '#kernel'

/** Tables of the journal: what was stated and waits for its place, the log, its tree, and what was signed over it. */
export const journalMigrations: Migration[] = [
  {
    id: 1,
    name: 'journal',
    statements: [
      `CREATE TABLE journal (sequence {int} NOT NULL PRIMARY KEY, topic {text} NOT NULL, about {text} NOT NULL, at {int} NOT NULL,
        facts {text} NOT NULL, hash {text} NOT NULL)`,
      'CREATE TABLE journal_cursors (reader {text} NOT NULL PRIMARY KEY, sequence {int} NOT NULL)',
    ],
  },
  {
    id: 2,
    name: 'a log with a tree; the entries before had names of buckets in clear, and no reader',
    statements: [
      'DROP TABLE journal',
      'DELETE FROM journal_cursors',
      'CREATE TABLE log_pending (id {serial}, body {text} NOT NULL)',
      `CREATE TABLE log_entries (sequence {int} NOT NULL PRIMARY KEY, topic {text} NOT NULL, tenant {text} NOT NULL,
        body {text} NOT NULL, hash {blob} NOT NULL)`,
      'CREATE INDEX log_entries_by_topic ON log_entries (topic, sequence)',
      'CREATE TABLE log_names (name {text} NOT NULL, sequence {int} NOT NULL, PRIMARY KEY (name, sequence)) {clustered}',
      `CREATE TABLE log_nodes (level {int} NOT NULL, place {int} NOT NULL, hash {blob} NOT NULL,
        PRIMARY KEY (level, place)) {clustered}`,
      `CREATE TABLE log_keys (generation {int} NOT NULL PRIMARY KEY, log {text} NOT NULL, public {blob} NOT NULL,
        since {int} NOT NULL, endorsement {blob} NOT NULL, secret {text} NOT NULL)`,
      'CREATE TABLE log_heads (size {int} NOT NULL PRIMARY KEY, generation {int} NOT NULL, note {text} NOT NULL)',
    ],
  },
]
