import { errorTable } from './errors.ts'

/** What a database driver answers, whichever it is. */
export const databaseError = errorTable({
  'database.uncertain': {
    kind: 'uncertain',
    retryable: true,
    message: 'It is not known whether the transaction was committed: {reason}. Ask what is there before you repeat it.',
  },
  'database.busy': {
    kind: 'unavailable',
    retryable: true,
    message: 'The database is overloaded: {reason}. Try again.',
  },
  'database.full': {
    kind: 'exhausted',
    retryable: true,
    message: 'The database cannot be written: {reason}. Free space on its disk; nothing was changed.',
  },
  'database.failed': { kind: 'internal', retryable: false, message: 'The database refused: {reason}' },
  'database.lost': {
    kind: 'unavailable',
    retryable: true,
    message: 'The database does not answer: {reason}. Nothing was changed; try again.',
  },
  'database.unsynced': {
    kind: 'unavailable',
    retryable: true,
    message:
      'The disk of the database did not keep what it was given ({reason}), so what was last written may be lost. Nothing more is read or written until this process is started again; look at the disk before.',
  },
  'database.newer': {
    kind: 'invalid',
    retryable: false,
    message:
      'The database {file} was written by a newer Pelago (schema {found}, known here {known}). Start that one, or update this one.',
  },
  'database.final': {
    kind: 'invalid',
    retryable: false,
    message:
      'The last migration of {component} ({found}, {name}) has no way back. Restore a backup that was taken before it, or stay with this version.',
  },
  'database.closed': { kind: 'unavailable', retryable: true, message: 'The database is being closed.' },
})
