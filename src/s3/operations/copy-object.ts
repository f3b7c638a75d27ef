import { checksumAlgorithms } from '../checksum.ts'
import { writeCondition } from '../conditions.ts'
import { isoTime, type Operation, quoted, xmlResponse } from '../context.ts'
import { copiedBody, openSource } from '../copy-source.ts'
import { s3Error } from '../errors.ts'
import { keptHeaders } from '../object-headers.ts'
import { writeXml } from '../xml.ts'

/** Reads the source and stores it anew under fresh keys, wherever the target bucket's policy wants it. */
export const copyObject: Operation = async (context) => {
  const { request, address, call, storage, offload } = context
  const directive = (request.headers['x-amz-metadata-directive'] ?? 'COPY').toUpperCase()
  if (directive !== 'COPY' && directive !== 'REPLACE') {
    throw s3Error('s3.argument', { name: 'x-amz-metadata-directive', reason: 'it must be COPY or REPLACE' })
  }
  const source = await openSource(context)
  if (directive === 'COPY' && source.bucket === address.bucket && source.key === address.key) {
    throw s3Error('s3.request', { reason: 'An object is copied onto itself only to replace its metadata.' })
  }
  const given = keptHeaders(request.headers)
  const wanted = request.headers['x-amz-checksum-algorithm']?.toUpperCase() ?? source.info.checksum?.algorithm
  const info = await storage.putObject(call, {
    bucket: address.bucket,
    key: address.key,
    headers: directive === 'REPLACE' ? given : source.info.headers,
    condition: writeCondition(request.headers),
    body: copiedBody(
      source,
      undefined,
      checksumAlgorithms.find((one) => one === wanted),
      offload,
    ),
  })
  const checksum = info.checksum && {
    [`Checksum${info.checksum.algorithm}`]: info.checksum.value,
    ChecksumType: info.checksum.type,
  }
  return xmlResponse(
    writeXml('CopyObjectResult', { LastModified: isoTime(info.modifiedAt), ETag: quoted(info.etag), ...checksum }),
  )
}
