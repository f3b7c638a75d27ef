import { hasCode, PelagoError } from '#kernel'
import { storageError } from '../errors.ts'
import type { Ground } from '../ground.ts'

export type RaceGround = Pick<Ground, 'clock' | 'limits' | 'health' | 'hedges' | 'paces' | 'lanes'>

/** One request to one provider. */
export type Flight = {
  /** It is late, and nobody counts on it any more. */
  slow: boolean
  /** Ends it, as nobody needs it. */
  end(): void
  /** Nobody needs it, but it goes on for as long as that says more about the provider, if no other one does so there. */
  watch(): void
}

type Asked<T> = {
  provider: string
  units: number
  /** When it is late, in milliseconds from now. */
  lateMs: number
  ask(signal: AbortSignal): Promise<T>
}

type Told<T> = {
  /** @param overdue it is so late that it has to be taken for stalled */
  late(overdue: boolean): void
  answered(value: T): void
  failed(error: unknown): void
  /** After everything else, whatever the outcome. */
  settled(): void
}

/** An answer this many times later than one that is late is overdue. */
const overdue = 8
/** A timer that rings later than this was held up by this process. */
const heldUpMs = 2

/** Waits for a lane to the provider, asks it, and notes what that says about it. `told` hears of failures until it is ended. */
export function takeOff<T>(ground: RaceGround, asked: Asked<T>, told: Told<T>): Flight {
  const { clock, limits, health, paces, lanes } = ground
  const { provider, units } = asked
  const abort = new AbortController()
  const asleep = clock.now()
  let began: number | undefined
  let ended = false
  let watched = false
  let stop: () => void

  const after = (ms: number, act: () => void) => {
    stop = clock.after(ms, act)
  }
  const dismiss = () => {
    ended = true
    abort.abort(new Error('no longer needed'))
  }
  const untilLate = (ms: number, twice: boolean) => {
    const due = clock.now() + ms
    after(ms, () => {
      const held = clock.now() - due
      // What this process was too busy to read may have come long ago.
      if (held > heldUpMs && !twice) return untilLate(Math.min(held, ms), true)
      told.late(false)
      after(Math.min(limits.shardMs, Math.max(limits.overdueMs, overdue * asked.lateMs)) - asked.lateMs, beOverdue)
    })
  }
  const beOverdue = () => {
    if (began !== undefined) lanes.silent(provider)
    told.late(true)
    after(asleep + limits.shardMs - clock.now(), () => {
      abort.abort(storageError('shard.unreachable', { provider, reason: 'no answer in time' }))
    })
  }
  const run = async () => {
    await lanes.enter(provider, abort.signal)
    began = clock.now()
    const value = await asked.ask(abort.signal)
    const ms = clock.now() - began
    paces.noted(provider, units, ms)
    health.answered(provider, ms / units)
    lanes.leave(provider, 'answered')
    told.answered(value)
  }
  const failed = (error: unknown) => {
    if (began !== undefined) lanes.leave(provider, ended ? 'ended' : isSilence(error) ? 'silent' : 'answered')
    if (ended) {
      if (watched && began !== undefined) paces.noted(provider, units, clock.now() - began)
      return
    }
    health.failed(provider, error)
    told.failed(error)
  }
  untilLate(asked.lateMs, false)
  void run()
    .catch(failed)
    .finally(() => {
      stop()
      if (watched) paces.unwatch(provider)
      told.settled()
    })

  const flight: Flight = {
    slow: false,
    end: dismiss,
    watch() {
      if (began === undefined || !paces.watch(provider)) return dismiss()
      watched = true
      stop()
      const telling = Math.min(limits.shardMs, paces.tellingMs(provider, units) ?? limits.overdueMs)
      after(began + telling - clock.now(), dismiss)
    },
  }
  return flight
}

const isSilence = (error: unknown) =>
  hasCode(error, 'shard.unreachable', 'shard.uncertain') || !(error instanceof PelagoError)
