import { errorTable } from '#kernel'

/** Every code that the journal raises. */
export const journalError = errorTable({
  'fact.unfit': {
    kind: 'internal',
    retryable: false,
    message: 'The log takes no {topic} like this: {fault}. What each topic may say is in src/journal/topics.ts.',
  },
  'log.missing': { kind: 'missing', retryable: false, message: 'The log has no entry {sequence}; its last is {size}.' },
  'log.hidden': { kind: 'denied', retryable: false, message: 'Entry {sequence} of the log is about another tenant.' },
  'log.unheaded': { kind: 'missing', retryable: false, message: 'The log has no signed head of size {size}.' },
  'log.older': {
    kind: 'corrupt',
    retryable: false,
    message:
      'The database holds {size} entries of the log, but {kept} were seen and signed: it was put back to an older state, or entries were removed. If you restored a backup knowingly, rename {file} to {file}.restored and start again: the log then goes on under a new name and says what was lost. Otherwise keep the database as evidence.',
  },
  'log.forked': {
    kind: 'corrupt',
    retryable: false,
    message:
      'Entries of the log are not those that were signed at size {kept}: somebody changed them in the database. Keep it as evidence and restore a backup; {file} has the head that was seen.',
  },
  'log.foreign': {
    kind: 'corrupt',
    retryable: false,
    message:
      'The database holds the log {found}, but {file} is of {expected}: it is another database, or its log was begun anew. Connect the right one; if the change is meant, rename {file} to {file}.restored and start again.',
  },
  'log.damaged': {
    kind: 'corrupt',
    retryable: false,
    message:
      'The log does not agree with itself: {reason}. Nothing more is added to it. Keep the database as evidence and restore a backup.',
  },
  'log.keyless': {
    kind: 'corrupt',
    retryable: false,
    message:
      'The key store does not hold the key that the log is signed with: it is another key store, or an older one. Put the right one back; if it is lost, rename {file} to {file}.restored and start again: the log then goes on under a new name.',
  },
  'head.damaged': {
    kind: 'corrupt',
    retryable: false,
    message: 'The file {file} holds no signed head of this log: {reason}. Put it back from a copy.',
  },
})
