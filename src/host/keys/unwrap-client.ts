import { randomBytes } from 'node:crypto'
import { createConnection, type Socket } from 'node:net'
import type { Clock } from '#kernel'
import { type RootKey, storageError } from '#storage'
import {
  type Answer,
  clientHello,
  frame,
  nonceOf,
  openFrames,
  openSession,
  readAnswer,
  type Session,
  type Word,
  writeAsk,
} from './unwrap-wire.ts'

const answerMs = 10_000
const pendingMost = 1024

export type UnwrapClient = RootKey & {
  /** What the process has done since it was started. */
  counts(): Promise<Record<string, number>>
  close(): void
}

type Waiting = { resolve(answer: Answer): void; reject(error: unknown): void }
type Link = { socket: Socket; session: Session; waiting: Map<number, Waiting> }

/**
 * The root key as a gateway sees it: a process that it may ask. A connection that breaks is made again with the next
 * question. Every question is answered or refused within ten seconds.
 * @param shared what this gateway's key and that of the process share
 */
export function openUnwrapClient(
  { clock }: { clock: Clock },
  { socket: path, gateway, shared }: { socket: string; gateway: string; shared: Uint8Array },
): UnwrapClient {
  let link: Promise<Link> | undefined
  let next = 1
  const away = (reason: string, cause?: unknown) => storageError('key.unavailable', { reason }, cause)

  const connect = (): Promise<Link> => {
    const made = new Promise<Link>((resolve, reject) => {
      const socket = createConnection(path)
      // It must not keep a process that has nothing else to do.
      socket.unref()
      const frames = openFrames()
      const waiting = new Map<number, Waiting>()
      let session: Session | undefined
      const end = (error: unknown) => {
        if (link === made) link = undefined
        socket.destroy()
        reject(error)
        for (const one of waiting.values()) one.reject(error)
        waiting.clear()
      }
      const cancel = clock.after(answerMs, () => session ?? end(away('it does not answer')))
      const take = (bytes: Buffer) => {
        if (session) {
          const answer = readAnswer(session.open(bytes))
          const one = waiting.get(answer.id)
          waiting.delete(answer.id)
          return one?.resolve(answer)
        }
        const theirs = nonceOf(bytes)
        if (!theirs) return end(away('what listens there is no unwrap process'))
        const mine = randomBytes(32)
        session = openSession(shared, theirs, mine, 'client')
        socket.write(frame(clientHello(gateway, mine)))
        cancel()
        resolve({ socket, session, waiting })
      }
      socket.on('data', (chunk: Buffer) => {
        try {
          for (const bytes of frames.push(chunk)) take(bytes)
        } catch (error) {
          end(away('what listens there does not have the key that is expected', error))
        }
      })
      socket.on('error', (error) => end(away(`the unwrap process does not answer: ${error.message}`, error)))
      socket.on('close', () => {
        cancel()
        end(away('the unwrap process has ended the connection'))
      })
    })
    return made
  }

  const ask = async (word: Word, root: string, context: string, data: Uint8Array): Promise<Answer> => {
    link ??= connect()
    const { socket, session, waiting } = await link
    if (waiting.size >= pendingMost) throw storageError('key.busy')
    const id = next++ % 2 ** 32
    let cancel = () => {}
    const answer = await new Promise<Answer>((resolve, reject) => {
      cancel = clock.after(answerMs, () => {
        waiting.delete(id)
        reject(away('it does not answer in time'))
      })
      waiting.set(id, { resolve, reject })
      socket.write(frame(session.seal(writeAsk({ id, word, root, context, data }))))
    }).finally(() => cancel())
    if (answer.error === '') return answer
    if (answer.error === 'key.root' || answer.error === 'key.busy') throw storageError(answer.error)
    throw away(answer.error === 'key.unavailable' ? Buffer.from(answer.data).toString() : `it refused: ${answer.error}`)
  }
  const none = new Uint8Array(0)
  const wrapped = ({ root, data }: Answer) => ({ root, wrapped: new Uint8Array(data) })

  return {
    newest: async () => (await ask('newest', '', '', none)).root,
    wrap: async (plain, context) => wrapped(await ask('wrap', '', context, plain)),
    unwrap: async (from, context) => new Uint8Array((await ask('unwrap', from.root, context, from.wrapped)).data),
    rewrap: async (from, context) => wrapped(await ask('rewrap', from.root, context, from.wrapped)),
    counts: async () =>
      JSON.parse(Buffer.from((await ask('count', '', '', none)).data).toString()) as Record<string, number>,
    close() {
      void link?.then(
        ({ socket }) => socket.destroy(),
        () => 'there was none',
      )
    },
  }
}
