import { writeCondition } from '../conditions.ts'
import { type Operation, quoted } from '../context.ts'
import { checksumHeaders, keptHeaders } from '../object-headers.ts'
import { requestBody } from '../request-body.ts'

export const putObject: Operation = async ({ request, address, verified, call, storage, offload }) => {
  const info = await storage.putObject(call, {
    bucket: address.bucket,
    key: address.key,
    headers: keptHeaders(request.headers),
    condition: writeCondition(request.headers),
    body: requestBody(request, verified, offload),
  })
  return { status: 200, headers: { etag: quoted(info.etag), ...checksumHeaders(info.checksum) } }
}
