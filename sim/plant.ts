/** Loaded before anything else in a process that runs with a planted bug: changes the text of one file as it is loaded. */
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { mutants } from './mutants.ts'

const mutant = mutants.find(({ name }) => name === process.env.PELAGO_SIM_MUTANT)
if (!mutant) throw new Error(`there is no planted bug "${process.env.PELAGO_SIM_MUTANT}"`)

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (!url.startsWith('file:') || !fileURLToPath(url).endsWith(`/${mutant.file}`)) return loaded
    const text = Buffer.from(loaded.source as Uint8Array).toString()
    const parts = text.split(mutant.from)
    if (parts.length !== 2)
      throw new Error(`"${mutant.from}" is ${parts.length - 1} times in ${mutant.file}; it must be there once`)
    return { ...loaded, source: parts.join(mutant.to) }
  },
})
