import { accessMigrations, signInMigrations } from '#access'
import { endpointMigrations } from '#endpoint'
import { answerMigrations, journalMigrations } from '#journal'
import { directoryMigrations } from '#pool'
import { indexMigrations, keyMigrations } from '#storage'
import { enrolmentMigrations } from '#trust'
import { workMigrations } from '#work'
import type { Schema } from '../database/schema.store.ts'

/** What lies in a gateway's index, plane by plane. */
export const indexSchemas: readonly Schema[] = [
  { component: 'index', migrations: indexMigrations },
  { component: 'work', migrations: workMigrations },
  { component: 'journal', migrations: journalMigrations },
  { component: 'answers', migrations: answerMigrations },
  { component: 'access', migrations: accessMigrations },
  { component: 'sign-in', migrations: signInMigrations },
  { component: 'endpoint', migrations: endpointMigrations },
]

/** What lies in the federation's database beside its log. */
export const federationSchemas: readonly Schema[] = [
  { component: 'answers', migrations: answerMigrations },
  { component: 'enrolment', migrations: enrolmentMigrations },
  { component: 'directory', migrations: directoryMigrations },
]

/** What lies in a gateway's key store, which is a database of its own. */
export const keySchemas: readonly Schema[] = [{ component: 'keys', migrations: keyMigrations }]
