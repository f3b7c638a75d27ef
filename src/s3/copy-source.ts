import type { Offload } from '#kernel'
import type { Body, ByteRange, Checksum, ChecksumAlgorithm, OpenObject } from '#storage'
import { openChecksum } from './checksum.ts'
import { checkRead } from './conditions.ts'
import type { Context } from './context.ts'
import { s3Error } from './errors.ts'

/** Opens what `x-amz-copy-source` names, if its conditions hold. */
export async function openSource(context: Context): Promise<OpenObject & { bucket: string; key: string }> {
  const { request, authority, storage } = context
  const source = sourceOf(request.headers['x-amz-copy-source'] ?? '')
  const call = await authority.may('s3:GetObject', source.bucket, source.key)
  const opened = await storage.openObject(call, source)
  checkRead(opened.info, request.headers, 'x-amz-copy-source-')
  return { ...opened, ...source }
}

/** @throws s3.argument, s3.unbuilt */
export function sourceOf(header: string): { bucket: string; key: string } {
  const [path = '', version] = header.replace(/^\//, '').split('?')
  if (version?.startsWith('versionId=') && version !== 'versionId=null')
    throw s3Error('s3.unbuilt', { what: 'Copying a version' })
  let text: string
  try {
    text = decodeURIComponent(path)
  } catch (error) {
    throw s3Error('s3.argument', { name: 'x-amz-copy-source', reason: 'it cannot be decoded' }, error)
  }
  const at = text.indexOf('/')
  if (at < 1 || at === text.length - 1)
    throw s3Error('s3.argument', { name: 'x-amz-copy-source', reason: 'it must be BUCKET/KEY' })
  return { bucket: text.slice(0, at), key: text.slice(at + 1) }
}

/** Bytes that are stored already, as a body to be stored again. */
export function copiedBody(
  source: OpenObject,
  range: ByteRange | undefined,
  algorithm: ChecksumAlgorithm | undefined,
  offload: Offload,
): Body {
  const size = range ? range.last - range.first + 1 : source.info.size
  const checksum = algorithm && openChecksum(algorithm, offload)
  let digest: Uint8Array | undefined
  async function* chunks(): AsyncGenerator<Uint8Array> {
    if (size > 0) {
      for await (const chunk of source.read(range)) {
        await checksum?.update(chunk)
        yield chunk
      }
    }
    digest = await checksum?.digest()
  }
  return {
    size,
    chunks: chunks(),
    // They come out of sealed cells.
    vouched: true,
    finish: () =>
      algorithm && digest
        ? ({ algorithm, value: Buffer.from(digest).toString('base64'), type: 'FULL_OBJECT' } satisfies Checksum)
        : undefined,
  }
}
