import type { ExplainedReason, getHealth, Output, watchHealth } from '#api'

export type Health = Output<typeof getHealth>
export type Watched = Output<typeof watchHealth>
export type Provider = Health['providers'][number]
/** Why the usual policy does not use a provider, by its id; nothing where it does. */
export type Refusals = ReadonlyMap<string, readonly ExplainedReason[]>

export const isRefused = (refused: Refusals, id: string): boolean => (refused.get(id)?.length ?? 0) > 0

/** Facts come with the question, what changes comes with the stream: the newer of both is shown. */
export function merged(health: Health, watched: Watched | undefined): Health {
  if (!watched || watched.now < health.now) return health
  const seen = new Map(watched.providers.map((provider) => [provider.id, provider]))
  return {
    ...health,
    now: watched.now,
    margins: watched.margins,
    degraded: watched.degraded,
    repairing: watched.repairing,
    objects: watched.objects,
    providers: health.providers.map((provider) => ({ ...provider, ...seen.get(provider.id) })),
  }
}

export type Verdict =
  | { kind: 'bad'; of: 'unreadable'; count: number }
  | { kind: 'warn'; of: 'degraded'; count: number; repairing: boolean }
  | { kind: 'warn'; of: 'dark'; count: number }
  | { kind: 'good'; of: 'empty' }
  | { kind: 'good'; of: 'well'; count: number; margin: number }

/** The state of everything in one thought, the worst first. */
export function verdictOf({ margins, degraded, repairing, objects, providers }: Health): Verdict {
  const unreadable = margins.find(({ margin }) => margin < 0)?.segments ?? 0
  if (unreadable > 0) return { kind: 'bad', of: 'unreadable', count: unreadable }
  if (degraded > 0) return { kind: 'warn', of: 'degraded', count: degraded, repairing: (repairing ?? 0) > 0 }
  const dark = providers.filter(({ state }) => state === 'dark').length
  if (dark > 0) return { kind: 'warn', of: 'dark', count: dark }
  const worst = Math.min(...margins.map(({ margin }) => margin))
  if (!Number.isFinite(worst)) return { kind: 'good', of: 'empty' }
  return { kind: 'good', of: 'well', count: objects ?? 0, margin: worst }
}
