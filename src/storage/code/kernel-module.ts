/**
 * Writes the WebAssembly module of one kernel: `outputs` linear combinations of `inputs` byte strings over GF(2^8),
 * 16 bytes at a time. A product by a constant is two look-ups in tables of 16 bytes, one per nibble (K. Greenan et al.,
 * "Screaming Fast Galois Field Arithmetic Using SIMD Instructions", FAST 2013). Factors come as tables in memory, so one
 * module serves every matrix of its size. Encoding: WebAssembly Core Specification 2.0, section 5.
 */

/** Bytes of each input that are worked on at a time; small enough to stay in the first-level caches. */
export const stripBytes = 4096
const tablesAt = 0
const stripsAt = 65536

/** Where in the module's memory things lie. */
export const layout = {
  table: (inputs: number, output: number, input: number) => tablesAt + (output * inputs + input) * 32,
  input: (input: number) => stripsAt + input * stripBytes,
  output: (inputs: number, output: number) => stripsAt + (inputs + output) * stripBytes,
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
const v128 = 0x7b
const i32 = 0x7f
const simd = {
  load: [0x00],
  store: [0x0b],
  const: [0x0c],
  swizzle: [0x0e],
  and: [0x4e],
  xor: [0x51],
  shiftRight: [0x6d],
}
/** Relaxed swizzle differs only for indices above 15, which nibbles never are, and is one instruction everywhere. */
const relaxedSwizzle = [0x80, 0x02]

/** @param relaxed with the instruction of the relaxed SIMD proposal; the platform decides whether it may */
export function kernelModule(inputs: number, outputs: number, relaxed: boolean): Uint8Array {
  const length = 0
  const offset = 1
  const [low, high, mask] = [2, 3, 4]
  const sum = (output: number) => 5 + output
  const vector = (code: number[], ...rest: number[]) => [0xfd, ...code, ...rest]
  const swizzle = vector(relaxed ? relaxedSwizzle : simd.swizzle)
  const load = (address: number) => vector(simd.load, 4, ...unsigned(address))
  const table = (output: number, input: number, half: number) => [
    ...[op.const, 0],
    ...load(layout.table(inputs, output, input) + half * 16),
  ]

  const body = [...vector(simd.const, ...Array.from({ length: 16 }, () => 0x0f)), ...[op.set, mask], ...[op.loop, 0x40]]
  for (let input = 0; input < inputs; input++) {
    body.push(op.get, offset, ...load(layout.input(input)))
    body.push(op.tee, low, op.const, 4, ...vector(simd.shiftRight), op.set, high)
    body.push(op.get, low, op.get, mask, ...vector(simd.and), op.set, low)
    for (let output = 0; output < outputs; output++) {
      body.push(...table(output, input, 0), op.get, low, ...swizzle)
      body.push(...table(output, input, 1), op.get, high, ...swizzle, ...vector(simd.xor))
      if (input > 0) body.push(op.get, sum(output), ...vector(simd.xor))
      body.push(op.set, sum(output))
    }
  }
  for (let output = 0; output < outputs; output++) {
    body.push(op.get, offset, op.get, sum(output))
    body.push(...vector(simd.store, 4, ...unsigned(layout.output(inputs, output))))
  }
  body.push(op.get, offset, op.const, 16, op.add, op.tee, offset, op.get, length, op.lessUnsigned, op.brIf, 0)
  body.push(op.end, op.end)

  const locals = [2, 1, i32, ...unsigned(3 + outputs), v128]
  const pages = Math.ceil((stripsAt + (inputs + outputs) * stripBytes) / 65536)
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, 1, i32, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0x00, ...unsigned(pages)]),
    ...section(7, [2, ...name('memory'), 0x02, 0, ...name('run'), 0x00, 0]),
    ...section(10, [1, ...sized([...locals, ...body])]),
  ])
}

const section = (id: number, content: number[]) => [id, ...sized(content)]
const sized = (content: number[]) => [...unsigned(content.length), ...content]
const name = (text: string) => sized([...Buffer.from(text)])

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
