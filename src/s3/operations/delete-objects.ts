import { type Call, hasCode } from '#kernel'
import { type Operation, xmlResponse } from '../context.ts'
import { answerOf, s3Error } from '../errors.ts'
import { requestBody, smallBody } from '../request-body.ts'
import { elementsOf, readXml, textOf, writeXml } from '../xml.ts'

const mostKeys = 1000
const largestBody = 2 * 1024 * 1024
const atOnce = 16

/** Deletes up to a thousand keys; each has its own outcome. */
export const deleteObjects: Operation = async ({ request, address, verified, authority, storage, offload }) => {
  const root = readXml(await smallBody(requestBody(request, verified, offload), largestBody), 'Delete')
  const objects = elementsOf(root, 'Object').map((object) => {
    const key = textOf(object, 'Key')
    if (key === undefined) throw s3Error('s3.xml', { reason: 'an object has no key' })
    if (textOf(object, 'VersionId')) throw s3Error('s3.unbuilt', { what: 'Deleting a version' })
    return { key, etag: textOf(object, 'ETag')?.replaceAll('"', '') }
  })
  if (objects.length === 0 || objects.length > mostKeys)
    throw s3Error('s3.xml', { reason: `it must name 1 to ${mostKeys} objects` })
  const first = await allowed(authority.may('s3:DeleteObject', address.bucket, objects[0]?.key))
  // Whoever may delete nothing in it does not learn whether there is such a bucket.
  if (first) await storage.getBucket(first, address.bucket)
  const errors: { Key: string; Code: string; Message: string }[] = []
  const deleted: { Key: string }[] = []
  const rest = [...objects]
  const lane = async () => {
    for (let object = rest.shift(); object; object = rest.shift()) {
      const condition = object.etag === undefined ? {} : { ifMatch: object.etag }
      try {
        const own = await authority.may('s3:DeleteObject', address.bucket, object.key)
        await storage.deleteObject(own, { bucket: address.bucket, key: object.key, condition })
        deleted.push({ Key: object.key })
      } catch (error) {
        const { code, message } = answerOf(error)
        errors.push({ Key: object.key, Code: code, Message: message })
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  const quiet = textOf(root, 'Quiet') === 'true'
  return xmlResponse(writeXml('DeleteResult', { Deleted: quiet ? [] : deleted, Error: errors }))
}

async function allowed(asked: Call | Promise<Call>): Promise<Call | undefined> {
  try {
    return await asked
  } catch (error) {
    if (!hasCode(error, 'access.denied')) throw error
    return undefined
  }
}
