import { type Metrics, meterOf, secondsBuckets } from '#kernel'

const databases = ['index', 'keys', 'federation', 'other'] as const
export type DatabaseName = (typeof databases)[number]

export const databaseMetrics = {
  pelago_database_commits_total: {
    kind: 'counter',
    help: 'Commits; transactions that come at the same time share one.',
    labels: { database: databases },
  },
  pelago_database_transactions_total: {
    kind: 'counter',
    help: 'Transactions that were committed.',
    labels: { database: databases },
  },
  pelago_database_commit_seconds: {
    kind: 'histogram',
    help: 'Time from the beginning of a commit to the end of its sync.',
    labels: { database: databases },
    buckets: secondsBuckets,
  },
  pelago_database_syncs_total: {
    kind: 'counter',
    help: 'Commits that waited for a sync of the disk.',
    labels: { database: databases },
  },
  pelago_database_retries_total: {
    kind: 'counter',
    help: 'Transactions that were run again, because another one was quicker or held the lock.',
    labels: { database: databases },
  },
  pelago_database_failures_total: {
    kind: 'counter',
    help: 'Commits that failed, or whose outcome is unknown.',
    labels: { database: databases },
  },
} as const

/** Counts what one database does. */
export type DatabaseMeter = {
  /** @param began of `performance.now()` */
  committed(transactions: number, began: number, synced: boolean): void
  retried(): void
  failed(): void
}

export function openDatabaseMeter(metrics: Metrics, database: DatabaseName): DatabaseMeter {
  const { counter, histogram } = meterOf(metrics, databaseMetrics)
  const commits = counter('pelago_database_commits_total', { database })
  const transactions = counter('pelago_database_transactions_total', { database })
  const seconds = histogram('pelago_database_commit_seconds', { database })
  const syncs = counter('pelago_database_syncs_total', { database })
  const retries = counter('pelago_database_retries_total', { database })
  const failures = counter('pelago_database_failures_total', { database })
  return {
    committed(count, began, synced) {
      commits.add()
      transactions.add(count)
      if (synced) syncs.add()
      seconds.observe((performance.now() - began) / 1000)
    },
    retried: () => retries.add(),
    failed: () => failures.add(),
  }
}
