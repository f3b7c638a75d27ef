/**
 * Writes the WebAssembly module of one code: linear combinations of `k` byte strings over GF(2^8), two vectors of 16 bytes at
 * a time. A product by a constant is two look-ups in tables of 16 bytes, one per nibble (K. Greenan et al., "Screaming Fast
 * Galois Field Arithmetic Using SIMD Instructions", FAST 2013); a factor of one is no product. Factors come as tables in memory,
 * so that one kernel serves every matrix with ones in the same places. Encoding: WebAssembly Core Specification 2.0, section 5.
 */

/** For each output and each input: must the input be multiplied, or only added? */
export type Shape = readonly (readonly ('add' | 'multiply')[])[]

/** What each kernel takes: the bytes to work on of each strip, and where its tables lie. */
export type Run = (length: number, tables: number) => void

export type KernelExports = {
  memory: WebAssembly.Memory
  /** The parities, whose tables start at `layout.parityTables`. */
  parity: Run
  /** The first output as the plain sum of the inputs. */
  sum: Run
  /** The first output as any combination of the inputs. */
  combine: Run
}

/** All strips together stay in second-level caches of 512 KiB and more; longer strips mean fewer copies to set up. */
const stripsBytes = 384 * 1024
/** Strips a multiple of 4 KiB apart would all claim the same few lines of a first-level cache. */
const skew = 64
const vectorsAtOnce = 2
const page = 65536

/** Bytes of the tables of one factor. */
export const tableBytes = 32

export type Layout = ReturnType<typeof layoutOf>

/** Where in the memory of the module for k+m things lie. */
export function layoutOf(k: number, m: number) {
  const parityTables = 0
  const rebuildTables = parityTables + m * k * tableBytes
  const rebuildRows = k + m
  const strips = Math.ceil((rebuildTables + rebuildRows * k * tableBytes) / page) * page
  const outputs = Math.max(m, 1)
  const stripBytes = Math.max(Math.floor(stripsBytes / (k + outputs) / 64), 1) * 64
  const pitch = stripBytes + skew
  return {
    parityTables,
    rebuildTables,
    stripBytes,
    input: (input: number) => strips + input * pitch,
    output: (output: number) => strips + (k + output) * pitch,
    pages: Math.ceil((strips + (k + outputs) * pitch) / page),
  }
}

/**
 * @param shape of the m parities over the k inputs
 * @param relaxed with the instruction of the relaxed SIMD proposal; the platform decides whether it may
 */
export function kernelModule(k: number, shape: Shape, relaxed: boolean): Uint8Array {
  const layout = layoutOf(k, shape.length)
  const all = (how: 'add' | 'multiply') => [Array.from({ length: k }, () => how)]
  const kernels = { parity: shape, sum: all('add'), combine: all('multiply') }
  const names = Object.keys(kernels)
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, 2, i32, i32, 0]),
    ...section(3, [names.length, ...names.map(() => 0)]),
    ...section(5, [1, 0x00, ...unsigned(layout.pages)]),
    ...section(7, [
      ...[1 + names.length, ...text('memory'), 0x02, 0],
      ...names.flatMap((name, at) => [...text(name), 0x00, at]),
    ]),
    ...section(10, [
      names.length,
      ...Object.values(kernels).flatMap((kernel) => sized(functionOf(k, kernel, layout, relaxed))),
    ]),
  ])
}

const op = {
  loop: 0x03,
  end: 0x0b,
  brIf: 0x0d,
  get: 0x20,
  set: 0x21,
  tee: 0x22,
  const: 0x41,
  lessUnsigned: 0x49,
  add: 0x6a,
}
const i32 = 0x7f
const v128 = 0x7b
const vector = (...code: number[]) => [0xfd, ...code]
const simd = {
  load: (address: number) => vector(0x00, 4, ...unsigned(address)),
  store: (address: number) => vector(0x0b, 4, ...unsigned(address)),
  splat: (byte: number) => vector(0x0c, ...Array.from({ length: 16 }, () => byte)),
  swizzle: vector(0x0e),
  /** Differs only for indices above 15, which nibbles never are, and is one instruction everywhere. */
  relaxedSwizzle: vector(0x80, 0x02),
  and: vector(0x4e),
  xor: vector(0x51),
  /** Of lanes of 16 bits: processors have none for bytes, and the mask is needed for the low nibbles anyway. */
  shiftRight: vector(0x8d, 0x01),
}

/** One kernel: for each output the sum over all inputs, each multiplied or not. */
function functionOf(k: number, shape: Shape, layout: Layout, relaxed: boolean): number[] {
  const [length, tables, offset] = [0, 1, 2]
  let locals = 3
  const local = () => locals++
  const each = <T>(make: (at: number) => T) => Array.from({ length: vectorsAtOnce }, (_, at) => make(at))
  const get = (from: number) => [op.get, ...unsigned(from)]
  const set = (to: number) => [op.set, ...unsigned(to)]
  const swizzle = relaxed ? simd.relaxedSwizzle : simd.swizzle

  const mask = local()
  const [low, high] = [each(local), each(local)]
  const sums = shape.map(() => each(local))
  const started = new Set<number>()
  /** Adds what `code` leaves to the sum of this output, or begins it. */
  const addTo = (output: number, at: number, code: number[]) => {
    const sum = sums[output]?.[at] as number
    return [...code, ...(started.has(output) ? [...get(sum), ...simd.xor] : []), ...set(sum)]
  }

  const before = [...simd.splat(0x0f), ...set(mask)]
  const body: number[] = []
  for (let input = 0; input < k; input++) {
    const outputsThat = (how: 'add' | 'multiply') =>
      [...shape.keys()].filter((output) => shape[output]?.[input] === how)
    each((at) => body.push(...get(offset), ...simd.load(layout.input(input) + 16 * at), ...set(low[at] as number)))
    for (const output of outputsThat('add')) {
      each((at) => body.push(...addTo(output, at, get(low[at] as number))))
      started.add(output)
    }
    const multiplied = outputsThat('multiply')
    if (multiplied.length === 0) continue
    each((at) => {
      const [whole, upper] = [low[at] as number, high[at] as number]
      body.push(...get(whole), op.const, 4, ...simd.shiftRight, ...get(mask), ...simd.and, ...set(upper))
      body.push(...get(whole), ...get(mask), ...simd.and, ...set(whole))
    })
    for (const output of multiplied) {
      const table = (half: number) => {
        const held = local()
        const at = (output * k + input) * tableBytes + half * 16
        before.push(...get(tables), ...simd.load(at), ...set(held))
        return get(held)
      }
      const [lows, highs] = [table(0), table(1)]
      each((at) => {
        const product = [
          ...lows,
          ...get(low[at] as number),
          ...swizzle,
          ...highs,
          ...get(high[at] as number),
          ...swizzle,
        ]
        body.push(...addTo(output, at, [...product, ...simd.xor]))
      })
      started.add(output)
    }
  }
  sums.forEach((vectors, output) => {
    vectors.forEach((sum, at) => {
      body.push(...get(offset), ...get(sum), ...simd.store(layout.output(output) + 16 * at))
    })
  })
  const next = [...get(offset), op.const, 16 * vectorsAtOnce, op.add, op.tee, offset, ...get(length), op.lessUnsigned]
  const declared = [2, 1, i32, ...unsigned(locals - 3), v128]
  return [...declared, ...before, op.loop, 0x40, ...body, ...next, op.brIf, 0, op.end, op.end]
}

const section = (id: number, content: number[]) => [id, ...sized(content)]
const sized = (content: number[]) => [...unsigned(content.length), ...content]
const text = (name: string) => sized([...Buffer.from(name)])

/** LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
    rest >>>= 7
  } while (rest > 0)
  return bytes
}
