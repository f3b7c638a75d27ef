import { createHash } from 'node:crypto'
import { canonicalJson, fromUtf8, type Json, utf8 } from '#kernel'
import { enrolmentError } from './errors.ts'
import { type MemberKind, memberKinds } from './member.ts'

/** What a code tells whoever is to join. The secret is good once; the federation keeps only its hash. */
export type InvitationCode = {
  kind: MemberKind
  member: string
  /** Of the federation's API. */
  url: string
  /** Of the federation's authority: who answers at the URL must be certified by it. */
  authority: string
  invitation: string
  secret: string
}

const prefix = 'pelago1-'
const sumBytes = 4
const names = ['kind', 'member', 'url', 'authority', 'invitation', 'secret'] as const

/** Writes a code as one word: what it holds and the beginning of its SHA-256, so that a letter that was lost is noticed. */
export function writeInvitationCode(code: InvitationCode): string {
  const bytes = utf8(canonicalJson(names.map((name) => code[name])))
  return prefix + Buffer.concat([bytes, sumOf(bytes)]).toString('base64url')
}

/** @param kind what is to join; named in the error @throws invitation.unreadable, invitation.kind */
export function readInvitationCode(text: string, kind: MemberKind): InvitationCode {
  const unreadable = (reason: string) => enrolmentError('invitation.unreadable', { reason, kind })
  const word = text.trim()
  if (!word.startsWith(prefix) || !/^[A-Za-z0-9_-]{20,4096}$/.test(word))
    throw unreadable(`it does not begin with ${prefix}`)
  const all = Buffer.from(word.slice(prefix.length), 'base64url')
  const [bytes, sum] = [all.subarray(0, -sumBytes), all.subarray(-sumBytes)]
  if (Buffer.compare(sumOf(bytes), sum) !== 0) throw unreadable('letters of it are missing or were changed')
  const values = valuesOf(bytes)
  const known = memberKinds.find((one) => one === values?.[0])
  if (!values || !known || !isUrl(values[2])) throw unreadable('it is of another version of Pelago')
  if (known !== kind) throw enrolmentError('invitation.kind', { kind: known })
  const [, member = '', url = '', authority = '', invitation = '', secret = ''] = values
  return { kind: known, member, url, authority, invitation, secret }
}

function valuesOf(bytes: Uint8Array): string[] | undefined {
  const value = JSON.parse(fromUtf8(bytes)) as Json
  const texts = Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
  return texts.length === names.length ? texts : undefined
}

const isUrl = (text = '') => /^https?:$/.test(URL.parse(text)?.protocol ?? '')

const sumOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest().subarray(0, sumBytes)
