import { writeCondition } from '../conditions.ts'
import type { Operation } from '../context.ts'

export const deleteObject: Operation = async ({ request, address, call, storage }) => {
  const condition = writeCondition(request.headers)
  await storage.deleteObject(call, { bucket: address.bucket, key: address.key, condition })
  return { status: 204, headers: {} }
}
