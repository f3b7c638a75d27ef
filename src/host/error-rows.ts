import { accessError, signInError } from '#access'
import { apiError } from '#api'
import { endpointError } from '#endpoint'
import { journalError } from '#journal'
import { databaseError, type ErrorRow } from '#kernel'
import { poolError } from '#pool'
import { storageError } from '#storage'
import { enrolmentError, signatureError, trustError } from '#trust'
import { workError } from '#work'
import { hostError } from './errors.ts'

/** One table of codes per plane. */
export const errorTables = [
  databaseError,
  apiError,
  journalError,
  workError,
  accessError,
  signInError,
  trustError,
  endpointError,
  signatureError,
  enrolmentError,
  poolError,
  storageError,
  hostError,
]

/** The errors of all planes behind the API, for its documentation. */
export const errorRows: Readonly<Record<string, ErrorRow>> = Object.assign({}, ...errorTables.map(({ rows }) => rows))
