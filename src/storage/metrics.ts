import { type Counter, type Histogram, type Metrics, meterOf } from '#kernel'

export const storageMetrics = {
  pelago_storage_packs_total: {
    kind: 'counter',
    help: 'Packs of small objects that were written, by outcome.',
    labels: { outcome: ['committed', 'failed'] },
  },
  pelago_storage_pack_objects: {
    kind: 'histogram',
    help: 'Objects that shared a pack.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128],
  },
  pelago_storage_segments_total: {
    kind: 'counter',
    help: 'Attempts to write a segment, by outcome; again: providers failed, and it was begun anew.',
    labels: { outcome: ['written', 'again'] },
  },
  pelago_storage_hedges_total: {
    kind: 'counter',
    help: 'Shards that were asked for besides, because an answer was late; refused: there were too many already.',
    labels: { outcome: ['made', 'refused'] },
  },
  pelago_storage_repairs_total: {
    kind: 'counter',
    help: 'Segments that repair took up, by what it did and how that ended.',
    labels: { action: ['move', 'rewrite'], outcome: ['done', 'failed'] },
  },
  pelago_storage_gaps_total: {
    kind: 'counter',
    help: 'Shards that were found missing or wrong at a provider.',
    labels: { why: ['missing', 'corrupt'] },
  },
} as const

/** What storage counts, resolved once. */
export type StorageMeters = {
  packs: Record<'committed' | 'failed', Counter>
  packObjects: Histogram
  segments: Record<'written' | 'again', Counter>
  hedges: Record<'made' | 'refused', Counter>
  repairs: Record<'move' | 'rewrite', Record<'done' | 'failed', Counter>>
  gaps: Record<'missing' | 'corrupt', Counter>
}

export function storageMeters(metrics: Metrics): StorageMeters {
  const { counter, histogram } = meterOf(metrics, storageMetrics)
  const packs = (outcome: 'committed' | 'failed') => counter('pelago_storage_packs_total', { outcome })
  const segments = (outcome: 'written' | 'again') => counter('pelago_storage_segments_total', { outcome })
  const hedges = (outcome: 'made' | 'refused') => counter('pelago_storage_hedges_total', { outcome })
  const gaps = (why: 'missing' | 'corrupt') => counter('pelago_storage_gaps_total', { why })
  const repairs = (action: 'move' | 'rewrite') => ({
    done: counter('pelago_storage_repairs_total', { action, outcome: 'done' }),
    failed: counter('pelago_storage_repairs_total', { action, outcome: 'failed' }),
  })
  return {
    packs: { committed: packs('committed'), failed: packs('failed') },
    packObjects: histogram('pelago_storage_pack_objects', {}),
    segments: { written: segments('written'), again: segments('again') },
    hedges: { made: hedges('made'), refused: hedges('refused') },
    repairs: { move: repairs('move'), rewrite: repairs('rewrite') },
    gaps: { missing: gaps('missing'), corrupt: gaps('corrupt') },
  }
}
