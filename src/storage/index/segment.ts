/** One segment of a body as the index knows it. */
export type Segment = {
  body: string
  /** 0, 1, 2 … within the body. */
  position: number
  /** Bucket, or class of packs, whose policy it keeps and whose epoch keys wrap its keys. */
  scope: string
  /** Rises with every move of a shard; background writers compare and swap it. */
  generation: number
  /** 32 hex digits, random per attempt; bound into every cell. */
  segment: string
  /** Plaintext bytes. */
  size: number
  k: number
  m: number
  /** Provider ids in shard order. */
  holders: string[]
  /** The row that names them, where it is counted; undefined for one that is not in the index yet. */
  placement?: string
  /** Shard names in shard order, 32 hex digits each. */
  names: string[]
  epoch: number
  /** Empty for a pack: the objects in it are sealed with keys of their own. */
  dataKey: Uint8Array
  integrityKey: Uint8Array
  commitment: Uint8Array
}

/** Where a segment stands in its body. */
export type SegmentPlace = { body: string; position: number }
