import { getSupportBundle } from '#api'
import type { CliPorts, Common } from './ports.ts'

/** `pelago support bundle FILE`: what somebody who helps wants to see, in a file that can be read before it is sent. */
export async function bundle(ports: CliPorts, file: string, { data, json }: Common): Promise<number> {
  const answer = await ports.client(data).ask(getSupportBundle, {})
  const bytes = Buffer.from(`${JSON.stringify(answer, null, 2)}\n`)
  await ports.save(
    file,
    (async function* () {
      yield bytes
    })(),
  )
  if (file === '-') return 0
  if (json) ports.out(JSON.stringify({ file, bytes: bytes.length }))
  else
    ports.out(`${file} holds what whoever helps you needs, and no content, keys or names. Read it before you send it.`)
  return 0
}
