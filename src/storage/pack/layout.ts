import { fullCellBytes, segmentShape, type SegmentShape } from '../seal/shape.ts'

/**
 * Where a sealed object lies in its pack: whole in one shard's column, so that reading it is one request; or cut into k
 * pieces at the same place of every column, where whole it would make one column much longer than the others.
 */
export type SlotPlace = { /** The data shard, or undefined when it is cut. */ shard: number | undefined; start: number }

export type PackLayout = { shape: SegmentShape; places: SlotPlace[] }

const wholeMost = 16 * 1024
const columnStep = 4096

/**
 * @param lengths sealed bytes of each object, in the order of `places`
 * @param greatestShare of an object's stored bytes that one provider may hold; whole with its m parities it is 1/(1+m)
 */
export function layoutPack(lengths: readonly number[], k: number, m: number, greatestShare: number): PackLayout {
  const mayBeWhole = 1 / (1 + m) <= greatestShare
  const even = lengths.reduce((sum, length) => sum + length, 0) / k
  const places: SlotPlace[] = lengths.map(() => ({ shard: undefined, start: 0 }))
  let height = 0
  const whole: number[] = []
  for (const [at, length] of lengths.entries()) {
    if (mayBeWhole && length <= Math.max(wholeMost, even / 8)) {
      whole.push(at)
      continue
    }
    places[at] = { shard: undefined, start: height }
    height += pieceBytes(length, k)
  }
  const ends = Array.from({ length: k }, () => height)
  // The longest first onto the least filled: no column is then longer than the even share by more than one object.
  whole.sort((a, b) => (lengths[b] as number) - (lengths[a] as number))
  for (const at of whole) {
    const shard = ends.indexOf(Math.min(...ends))
    places[at] = { shard, start: ends[shard] as number }
    ends[shard] = (ends[shard] as number) + (lengths[at] as number)
  }
  const column = Math.ceil(Math.max(...ends) / columnStep) * columnStep
  return { shape: segmentShape(column * k, k, m), places }
}

/** Bytes of each piece of an object that is cut; the last one may be shorter. */
export const pieceBytes = (length: number, k: number) => Math.ceil(length / k)

/** A stretch of the sealed object and the column where it lies. */
export type Piece = {
  shard: number /** In the column. */
  start: number /** In the sealed object. */
  from: number
  to: number
}

/** The pieces that hold the sealed bytes from `from` up to `to` of an object `length` bytes long. */
export function piecesOf(place: SlotPlace, length: number, k: number, from: number, to: number): Piece[] {
  if (place.shard !== undefined) return [{ shard: place.shard, start: place.start + from, from, to }]
  const size = pieceBytes(length, k)
  const pieces: Piece[] = []
  for (let shard = Math.floor(from / size); shard * size < to; shard++) {
    const first = Math.max(from, shard * size)
    pieces.push({ shard, start: place.start + first - shard * size, from: first, to: Math.min(to, (shard + 1) * size) })
  }
  return pieces
}

/** Writes sealed objects to their places. @param bytes zeroed, k columns long, in the order in which cells are cut from it */
export function fillPack({ shape, places }: PackLayout, objects: readonly Uint8Array[], bytes: Uint8Array): void {
  for (const [at, sealed] of objects.entries()) {
    for (const piece of piecesOf(places[at] as SlotPlace, sealed.length, shape.k, 0, sealed.length)) {
      for (let from = piece.from; from < piece.to; ) {
        const column = piece.start + from - piece.from
        const row = Math.floor(column / fullCellBytes)
        const within = column % fullCellBytes
        const cell = row === shape.rows - 1 ? shape.lastCellBytes : fullCellBytes
        const to = Math.min(piece.to, from + cell - within)
        bytes.set(sealed.subarray(from, to), row * shape.k * fullCellBytes + piece.shard * cell + within)
        from = to
      }
    }
  }
}
