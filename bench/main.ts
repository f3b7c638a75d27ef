/** `npm run bench -- NAME`: numbers as ratios within one run. */
const benches: Record<string, (words: string[]) => Promise<number>> = {
  s3: async (words) => (await import('./s3.ts')).benchS3(words),
  gateways: async (words) => (await import('./gateways.ts')).benchGateways(words),
  index: async (words) => ((await (await import('./index.ts')).benchIndex(words, console.log)).failed > 0 ? 1 : 0),
}

const [name, ...words] = process.argv.slice(2)
const bench = benches[name ?? '']
if (bench) process.exitCode = await bench(words)
else {
  console.error(`Say what to measure: npm run bench -- ${Object.keys(benches).join(' | ')}; each knows --help.`)
  process.exitCode = 2
}
