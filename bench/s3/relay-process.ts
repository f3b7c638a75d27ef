/**
 * Stands between a gateway and its providers and passes bytes on: at once; as over a link with a round trip and a rate; or
 * as from a provider that is slower than it is. A process of its own, so that its CPU can be told from everybody else's.
 */
import { connect, createServer, type Socket } from 'node:net'
import type { Counted, LinkPlan, RelayOrder, Way } from './relay.ts'

/**
 * Bytes wait this long before a link at most (ms), as in a router's memory; then their sender is held back until half of it is
 * gone. Long enough that a relay that gets no processor for a while does not leave its link idle.
 */
const queueMs = 100
const keptExchanges = 20_000

type Link = LinkPlan & { way: Way; up: Direction; down: Direction; counted: Counted }
/** When a direction of a link, which all connections share, has sent what it was given. */
type Direction = { freeAt: number }

const links = new Map<string, Link>()
const fresh = (): Counted => ({ upBytes: 0, downBytes: 0, exchanges: [] })

process.on('message', (order: RelayOrder) => {
  if ('open' in order) void Promise.all(order.open.map(open)).then(() => process.send?.('open'))
  else if ('way' in order) {
    const link = links.get(order.name)
    if (link) link.way = order.way
    process.send?.('set')
  } else {
    process.send?.(Object.fromEntries([...links].map(([name, { counted }]) => [name, counted])))
    for (const link of links.values()) link.counted = fresh()
  }
})
process.on('disconnect', () => process.exit(0))

function open(plan: LinkPlan): Promise<void> {
  const link: Link = { ...plan, way: {}, up: { freeAt: 0 }, down: { freeAt: 0 }, counted: fresh() }
  links.set(plan.name, link)
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => join(client, link))
  return new Promise((resolve, reject) => {
    server.on('error', reject)
    server.listen(plan.listen, '127.0.0.1', () => resolve())
  })
}

/** One request and its answer on a connection. */
type Exchange = { asked: number; first: number; last: number; bytes: number }

function join(client: Socket, link: Link): void {
  const server = connect({ port: link.to, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    one.on('error', () => other.destroy())
    one.on('close', () => other.destroy())
  }
  let exchange: Exchange | undefined
  const finish = () => {
    if (!exchange || exchange.bytes === 0) return
    if (link.counted.exchanges.length < keptExchanges) {
      const { asked, first, last, bytes } = exchange
      link.counted.exchanges.push({ firstMs: first - asked, restMs: last - first, bytes })
    }
    exchange = undefined
  }
  // A new connection costs a round trip before its first byte, which the relay's own accept does not.
  const shaken = performance.now() + (link.way.roundTripMs ?? 0)
  carry(client, server, (bytes, now) => {
    finish()
    exchange ??= { asked: now, first: 0, last: 0, bytes: 0 }
    link.counted.upBytes += bytes
    const { at, queuedMs } = over(link, link.up, bytes, now)
    return { at: Math.max(at, shaken + (link.way.roundTripMs ?? 0) / 2), queuedMs }
  })
  let slowUntil = 0
  carry(server, client, (bytes, now) => {
    link.counted.downBytes += bytes
    const first = exchange?.bytes === 0
    if (exchange) {
      if (first) exchange.first = now
      exchange.last = now
      exchange.bytes += bytes
    }
    const { slow } = link.way
    if (!slow) return over(link, link.down, bytes, now)
    slowUntil = Math.max(slowUntil, first ? now + slow.firstMs : now) + (bytes / slow.bytesPerSecond) * 1000
    return { at: slowUntil, queuedMs: slowUntil - now - slow.firstMs }
  })
  client.on('close', finish)
}

/** When bytes come out, and how long they waited for the bytes before them. */
type Due = { at: number; queuedMs: number }

/** When bytes that enter a direction now come out at its end. */
function over(link: Link, direction: Direction, bytes: number, now: number): Due {
  const { roundTripMs, bytesPerSecond } = link.way
  if (roundTripMs === undefined || bytesPerSecond === undefined) return { at: now, queuedMs: 0 }
  direction.freeAt = Math.max(now, direction.freeAt) + (bytes / bytesPerSecond) * 1000
  return { at: direction.freeAt + roundTripMs / 2, queuedMs: direction.freeAt - now }
}

/** Passes on what one side sends, each piece when it is due, in order. */
function carry(from: Socket, to: Socket, due: (bytes: number, now: number) => Due): void {
  const waiting: { at: number; bytes: Buffer }[] = []
  let last = 0
  let ended = false
  let timer: NodeJS.Timeout | undefined
  const holds = new Set<'full' | 'queue'>()
  const hold = (why: 'full' | 'queue', until: (release: () => void) => void) => {
    if (holds.has(why)) return
    holds.add(why)
    from.pause()
    until(() => {
      holds.delete(why)
      if (holds.size === 0) from.resume()
    })
  }
  const hand = (bytes: Buffer) => {
    if (!to.destroyed && !to.write(bytes)) hold('full', (release) => to.once('drain', release))
  }
  const pump = () => {
    timer = undefined
    const now = performance.now()
    while (waiting[0] !== undefined && waiting[0].at <= now) hand((waiting.shift() as (typeof waiting)[0]).bytes)
    if (waiting[0] !== undefined) timer = setTimeout(pump, Math.max(0, waiting[0].at - now))
    else if (ended) to.end()
  }
  from.on('data', (bytes: Buffer) => {
    const now = performance.now()
    const { at: soonest, queuedMs } = due(bytes.length, now)
    const at = Math.max(last, soonest)
    if (at <= now && waiting.length === 0) return hand(bytes)
    last = at
    waiting.push({ at, bytes })
    timer ??= setTimeout(pump, Math.max(0, at - now))
    // Who sends more than the link carries is held back, as by a full queue; what is merely under way holds nobody back.
    if (queuedMs > queueMs) hold('queue', (release) => setTimeout(release, queuedMs - queueMs / 2))
  })
  from.on('end', () => {
    ended = true
    if (waiting.length === 0) to.end()
  })
}
