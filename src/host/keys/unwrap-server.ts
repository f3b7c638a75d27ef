import { randomBytes } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { type Clock, hasCode, type Log, PelagoError } from '#kernel'
import { type RootKey, storageError } from '#storage'
import { hostError } from '../errors.ts'
import {
  type Answer,
  type Ask,
  frame,
  openFrames,
  openSession,
  readAsk,
  readClientHello,
  type Session,
  serverHello,
  writeAnswer,
} from './unwrap-wire.ts'

/** Both keys of an epoch, and the only kind of thing that is wrapped here. */
const epochBytes = 64
const epochContext = /^pelago epoch [a-z0-9 -]{1,100} [0-9]{1,15}$/
const connectionsMost = 64
const pendingMost = 64
const helloMs = 5000

export type UnwrapConfig = {
  socket: string
  /** Name of each gateway that may ask -> what its key and ours share. */
  gateways: ReadonlyMap<string, Uint8Array>
  /** Others of the socket's group may connect too: for a gateway that runs as another user. */
  group: boolean
  /** Questions of one gateway: so many a second, and so many at once after a rest. */
  perSecond: number
  burst: number
}

/**
 * Answers enrolled gateways: wraps, opens and rewraps keys of epochs, and tells nobody the root key. Each opened key is
 * logged and counted; who asks for more than its share is told to wait.
 * @throws port.taken when another process listens there
 */
export async function openUnwrapServer(
  ports: { clock: Clock; log: Log; root: RootKey },
  config: UnwrapConfig,
): Promise<{ close(): Promise<void> }> {
  const { clock, log } = ports
  const sockets = new Set<Socket>()
  const shares = new Map([...config.gateways.keys()].map((id) => [id, openShare(clock, config)]))
  const counts = { newest: 0, wrap: 0, unwrap: 0, rewrap: 0, count: 0, refused: 0 }

  const answer = async (gateway: string, ask: Ask): Promise<Answer> => {
    const { id, word, root, context, data } = ask
    const done = (from: { root?: string; wrapped?: Uint8Array }): Answer => {
      return { id, error: '', root: from.root ?? '', data: from.wrapped ?? new Uint8Array(0) }
    }
    try {
      if (!shares.get(gateway)?.take()) throw storageError('key.busy')
      const about = { gateway, epoch: context.slice('pelago epoch '.length), root }
      counts[word]++
      switch (word) {
        case 'newest':
          return done({ root: await ports.root.newest() })
        case 'count':
          return done({ wrapped: Buffer.from(JSON.stringify(counts)) })
        case 'wrap': {
          if (!epochContext.test(context) || data.length !== epochBytes) throw hostError('unwrap.foreign', { gateway })
          log('info', 'epoch.wrapped', about)
          return done(await ports.root.wrap(data, context))
        }
        case 'unwrap': {
          if (!epochContext.test(context)) throw hostError('unwrap.foreign', { gateway })
          log('info', 'epoch.unwrapped', about)
          return done({ wrapped: await ports.root.unwrap({ root, wrapped: data }, context) })
        }
        case 'rewrap': {
          if (!epochContext.test(context)) throw hostError('unwrap.foreign', { gateway })
          log('info', 'epoch.rewrapped', about)
          return done(await ports.root.rewrap({ root, wrapped: data }, context))
        }
      }
    } catch (error) {
      counts.refused++
      const reason = error instanceof Error ? error.message : String(error)
      log('warn', 'epoch.refused', { gateway, word, reason })
      const code = error instanceof PelagoError ? error.code : 'unwrap.failed'
      const why = hasCode(error, 'key.unavailable') ? error.details.reason : undefined
      return { id, error: code, root: '', data: Buffer.from(typeof why === 'string' ? why.slice(0, 500) : '') }
    }
  }

  const serve = (socket: Socket) => {
    if (sockets.size >= connectionsMost) return socket.destroy()
    sockets.add(socket)
    const nonce = randomBytes(32)
    const frames = openFrames()
    let peer: { gateway: string; session: Session } | undefined
    let pending = 0
    const refuse = (why: string) => {
      log('warn', 'gateway.refused', { why })
      socket.destroy()
    }
    const cancel = clock.after(helloMs, () => peer ?? refuse('it did not say who it is'))
    socket.on('close', () => {
      cancel()
      sockets.delete(socket)
    })
    socket.on('error', (error) => log('info', 'gateway.gone', { reason: error.message }))
    const take = (bytes: Buffer) => {
      if (!peer) {
        const hello = readClientHello(bytes)
        const shared = hello && config.gateways.get(hello.gateway)
        if (!hello || !shared) return refuse('it is not a gateway that may ask')
        peer = { gateway: hello.gateway, session: openSession(shared, nonce, hello.nonce, 'server') }
        return
      }
      const { gateway, session } = peer
      const ask = readAsk(session.open(bytes))
      if (++pending >= pendingMost) socket.pause()
      void answer(gateway, ask).then((said) => {
        if (--pending < pendingMost && !socket.destroyed) socket.resume()
        if (!socket.destroyed) socket.write(frame(session.seal(writeAnswer(said))))
      })
    }
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const bytes of frames.push(chunk)) if (!socket.destroyed) take(bytes)
      } catch (error) {
        // Not sealed by that gateway, or no question at all.
        refuse(error instanceof Error ? error.message : String(error))
      }
    })
    socket.write(frame(serverHello(nonce)))
  }

  const server = createServer(serve)
  claim(config.socket, config.group)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    // The mask makes the socket ours alone from its first moment on.
    const mask = process.umask(config.group ? 0o117 : 0o177)
    server.listen(config.socket, resolve)
    process.umask(mask)
  })
  chmodSync(config.socket, config.group ? 0o660 : 0o600)
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** Makes room for the socket: one that a killed process left behind goes, anything else stays. */
function claim(path: string, group: boolean): void {
  mkdirSync(dirname(path), { recursive: true, mode: group ? 0o750 : 0o700 })
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found) return
  if (!found.isSocket()) throw hostError('file.exists', { file: path })
  rmSync(path)
}

/** A share of questions that refills with time. */
function openShare(clock: Clock, { perSecond, burst }: UnwrapConfig) {
  let left = burst
  let at = clock.now()
  return {
    take(): boolean {
      const now = clock.now()
      left = Math.min(burst, left + (Math.max(0, now - at) * perSecond) / 1000)
      at = now
      if (left < 1) return false
      left--
      return true
    },
  }
}
