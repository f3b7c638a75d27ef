import type { Offload } from '#kernel'
import { type Matrix, multiply, parityRows, rebuildRows } from './field.ts'
import { kernelModule, layout, stripBytes } from './kernel-module.ts'

type Cells = readonly { shard: number; bytes: Uint8Array }[]

/** Systematic Reed-Solomon code: k data shards, m parity shards, any k of which give back all. */
export type Coder = {
  readonly k: number
  readonly m: number
  /** Fills the first `length` bytes (a multiple of 16) of the m parity buffers from the k data buffers. */
  encode(data: readonly Uint8Array[], parity: readonly Uint8Array[], length: number): void
  /** Computes wanted shards, data or parity, out of the first k of the present ones into the buffers given. */
  rebuild(present: Cells, wanted: Cells, length: number): void
}

export type Coders = { coder(k: number, m: number): Promise<Coder> }

/** Matrices of rebuilds that are kept; there are few patterns of loss at a time. */
const keptMatrices = 256

/** Opens coders, each compiled once, off this thread. */
export function openCoders(offload: Pick<Offload, 'compile'>): Coders {
  const relaxed = WebAssembly.validate(kernelModule(1, 1, true))
  const coders = new Map<string, Promise<Coder>>()
  const kernel = async (inputs: number, outputs: number) =>
    openKernel(await offload.compile(kernelModule(inputs, outputs, relaxed)), inputs, outputs)
  return {
    coder(k, m) {
      const id = `${k}+${m}`
      const known = coders.get(id)
      if (known) return known
      const opened = Promise.all([kernel(k, Math.max(m, 1)), kernel(k, 1)]).then(([all, one]) =>
        openCoder(k, m, all, one),
      )
      coders.set(id, opened)
      opened.catch(() => coders.delete(id))
      return opened
    },
  }
}

function openCoder(k: number, m: number, all: Kernel, one: Kernel): Coder {
  const parity = parityRows(k, m)
  const matrices = new Map<string, Matrix>()
  return {
    k,
    m,
    encode(data, out, length) {
      if (m > 0) all(parity, data, out, length)
    },
    rebuild(present, wanted, length) {
      const sources = present.slice(0, k)
      const id = `${sources.map(({ shard }) => shard).join()}:${wanted.map(({ shard }) => shard).join()}`
      let matrix = matrices.get(id)
      if (!matrix) {
        const numbers = (cells: Cells) => cells.map(({ shard }) => shard)
        matrix = rebuildRows(k, m, numbers(sources), numbers(wanted))
        if (matrices.size >= keptMatrices) matrices.clear()
        matrices.set(id, matrix)
      }
      const inputs = sources.map(({ bytes }) => bytes)
      matrix.forEach((row, at) => {
        one([row], inputs, [(wanted[at] as Cells[number]).bytes], length)
      })
    },
  }
}

type Kernel = (matrix: Matrix, inputs: readonly Uint8Array[], outputs: readonly Uint8Array[], length: number) => void

/** Runs a compiled kernel strip by strip through its own small memory. */
function openKernel(module: WebAssembly.Module, inputs: number, outputs: number): Kernel {
  const { exports } = new WebAssembly.Instance(module, {})
  const run = exports.run as (length: number) => void
  const memory = new Uint8Array((exports.memory as WebAssembly.Memory).buffer)
  let loaded: Matrix | undefined
  return (matrix, from, to, length) => {
    if (from.length !== inputs || to.length !== outputs || length % 16 !== 0) {
      throw new RangeError(`this kernel takes ${inputs} inputs and ${outputs} outputs of a multiple of 16 bytes`)
    }
    if (loaded !== matrix) {
      loadTables(memory, matrix, inputs)
      loaded = matrix
    }
    for (let at = 0; at < length; at += stripBytes) {
      const end = Math.min(at + stripBytes, length)
      for (let input = 0; input < inputs; input++) {
        memory.set((from[input] as Uint8Array).subarray(at, end), layout.input(input))
      }
      run(end - at)
      for (let output = 0; output < outputs; output++) {
        const start = layout.output(inputs, output)
        ;(to[output] as Uint8Array).set(memory.subarray(start, start + end - at), at)
      }
    }
  }
}

/** For each factor the products with all 16 low nibbles, then with all 16 high ones. */
function loadTables(memory: Uint8Array, matrix: Matrix, inputs: number): void {
  matrix.forEach((row, output) => {
    row.forEach((factor, input) => {
      const at = layout.table(inputs, output, input)
      for (let nibble = 0; nibble < 16; nibble++) {
        memory[at + nibble] = multiply(factor, nibble)
        memory[at + 16 + nibble] = multiply(factor, nibble << 4)
      }
    })
  })
}
