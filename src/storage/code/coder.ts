import type { Offload } from '#kernel'
import { type Matrix, multiply, parityRows, rebuildRows } from './field.ts'
import { type KernelExports, kernelModule, layoutOf, type Run, tableBytes } from './kernel-module.ts'

type Cells = readonly { shard: number; bytes: Uint8Array }[]

/** Systematic Reed-Solomon code: k data shards, m parity shards, any k of which give back all. */
export type Coder = {
  readonly k: number
  readonly m: number
  /**
   * Fills the first `length` bytes (a multiple of 16) of the m parity buffers from the k data buffers.
   * @throws RangeError for another number of buffers, shorter ones or another length
   */
  encode(data: readonly Uint8Array[], parity: readonly Uint8Array[], length: number): void
  /**
   * Computes wanted shards, data or parity, out of the first k of the present ones into the buffers given.
   * @throws RangeError as `encode` does, and for the same shard twice among those k
   */
  rebuild(present: Cells, wanted: Cells, length: number): void
}

export type Coders = { coder(k: number, m: number): Promise<Coder> }

/** Plans of rebuilds that are kept; there are few patterns of loss at a time. */
const keptPlans = 256

/**
 * Opens coders, each compiled once, off this thread.
 * @param relaxed with relaxed SIMD, which older platforms do not know
 */
export function openCoders(
  offload: Pick<Offload, 'compile'>,
  relaxed = WebAssembly.validate(kernelModule(1, [], true)),
): Coders {
  const coders = new Map<string, Promise<Coder>>()
  const open = async (k: number, m: number) => {
    const parity = parityRows(k, m)
    const shape = parity.map((row) => row.map((factor) => (factor === 1 ? 'add' : 'multiply')))
    return openCoder(k, parity, await offload.compile(kernelModule(k, shape, relaxed)))
  }
  return {
    coder(k, m) {
      const id = `${k}+${m}`
      const known = coders.get(id)
      if (known) return known
      const opened = open(k, m)
      coders.set(id, opened)
      opened.catch(() => coders.delete(id))
      return opened
    },
  }
}

/** How wanted shards are made: the kernel of each, and the tables of all. */
type Plan = { runs: Run[]; tables: Uint8Array }

function openCoder(k: number, parity: Matrix, module: WebAssembly.Module): Coder {
  const m = parity.length
  const layout = layoutOf(k, m)
  const kernels = new WebAssembly.Instance(module, {}).exports as KernelExports
  const memory = new Uint8Array(kernels.memory.buffer)
  memory.set(tablesOf(parity), layout.parityTables)
  const plans = new Map<string, Plan>()

  function planOf(present: number[], wanted: number[]): Plan {
    const id = `${present.join()}:${wanted.join()}`
    const known = plans.get(id)
    if (known) return known
    const matrix = rebuildRows(k, m, present, wanted)
    // A lost data shard is the plain sum of the others and the first parity.
    const runs = matrix.map((row) => (row.every((factor) => factor === 1) ? kernels.sum : kernels.combine))
    const plan = { runs, tables: tablesOf(matrix) }
    if (plans.size >= keptPlans) plans.clear()
    plans.set(id, plan)
    return plan
  }

  /** Cuts the work in strips of about one size, brings those of the inputs in, and has `work` done on each. */
  function strips(inputs: readonly Uint8Array[], length: number, work: (at: number, end: number) => void): void {
    const count = Math.ceil(length / layout.stripBytes)
    const size = Math.ceil(length / count / 64) * 64
    for (let at = 0; at < length; at += size) {
      const end = Math.min(at + size, length)
      inputs.forEach((input, index) => {
        memory.set(input.subarray(at, end), layout.input(index))
      })
      work(at, end)
    }
  }

  function takeOut(index: number, output: Uint8Array, at: number, end: number): void {
    const start = layout.output(index)
    output.set(memory.subarray(start, start + end - at), at)
  }

  function check(buffers: readonly Uint8Array[], wanted: number, length: number): void {
    if (buffers.length !== wanted || length % 16 !== 0 || buffers.some((buffer) => buffer.length < length))
      throw new RangeError(
        `${wanted} buffers are wanted, of a multiple of 16 bytes; got ${buffers.length}, ${length} bytes`,
      )
  }

  return {
    k,
    m,
    encode(data, out, length) {
      check(data, k, length)
      check(out, m, length)
      if (m === 0) return
      strips(data, length, (at, end) => {
        kernels.parity(end - at, layout.parityTables)
        out.forEach((output, index) => {
          takeOut(index, output, at, end)
        })
      })
    },
    rebuild(present, wanted, length) {
      const sources = present.slice(0, k)
      const inputs = sources.map(({ bytes }) => bytes)
      check(inputs, k, length)
      const outputs = wanted.map(({ bytes }) => bytes)
      // There is room for the tables of no more.
      check(outputs, Math.min(outputs.length, k + m), length)
      const plan = planOf(numbersOf(sources), numbersOf(wanted))
      memory.set(plan.tables, layout.rebuildTables)
      strips(inputs, length, (at, end) => {
        outputs.forEach((output, row) => {
          ;(plan.runs[row] as Run)(end - at, layout.rebuildTables + row * k * tableBytes)
          takeOut(0, output, at, end)
        })
      })
    },
  }
}

const numbersOf = (cells: Cells) => cells.map(({ shard }) => shard)

/** For each factor, row by row, the products with all 16 low nibbles, then with all 16 high ones. */
function tablesOf(matrix: Matrix): Uint8Array {
  const nibbles = Array.from({ length: 16 }, (_, nibble) => nibble)
  return Uint8Array.from(
    matrix
      .flat()
      .flatMap((factor) => [
        ...nibbles.map((nibble) => multiply(factor, nibble)),
        ...nibbles.map((nibble) => multiply(factor, nibble << 4)),
      ]),
  )
}
