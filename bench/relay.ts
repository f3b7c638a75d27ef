/** A relay before one provider that passes on what the provider says as much later as it is told, for `slow-provider.ts`. */
import { connect, createServer, type Socket } from 'node:net'

const [from, to] = process.argv.slice(2).map(Number)
let delayMs = 0
const first: number[] = []

createServer({ noDelay: true }, (near) => {
  const far = connect({ host: '127.0.0.1', port: to as number, noDelay: true })
  let asked: number | undefined
  near.on('data', (bytes) => {
    asked = performance.now()
    far.write(bytes)
  })
  pass(far, near, () => {
    if (asked !== undefined) first.push(performance.now() - asked)
    asked = undefined
  })
  for (const [one, other] of [
    [near, far],
    [far, near],
  ] as const) {
    one.on('error', () => undefined)
    one.on('close', () => other.destroy())
  }
}).listen(from, '127.0.0.1', () => process.send?.('ready'))

/** In order: what is to come later waits behind what came before it. */
function pass(far: Socket, near: Socket, answers: () => void): void {
  far.on('data', (bytes) => {
    answers()
    if (delayMs === 0) near.write(bytes)
    else setTimeout(() => near.write(bytes), delayMs)
  })
}

process.on('message', (word: number | 'latency') => {
  if (word === 'latency') process.send?.(median(first.splice(0)))
  else delayMs = word
})
process.on('disconnect', () => process.exit(0))

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}
