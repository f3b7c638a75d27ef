/** Reads a Dockerfile and names what it should not do. Used on ours, and on planted faults. */
export function dockerfileFaults(text: string): string[] {
  const steps = text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ verb: line.split(' ')[0] as string, rest: line.slice(line.indexOf(' ') + 1) }))
  const faults: string[] = []
  const last = steps.slice(steps.findLastIndex(({ verb }) => verb === 'FROM'))
  if (steps.filter(({ verb }) => verb === 'FROM').length < 2)
    faults.push('it has one stage; build tools would be in the image')
  const stages = steps.flatMap(({ verb, rest }) => (verb === 'FROM' ? (/ AS (\S+)$/.exec(rest)?.[1] ?? []) : []))
  for (const { verb, rest } of steps) {
    const isStage = stages.includes(rest.split(' ')[0] ?? '')
    if (verb === 'FROM' && !isStage && (!/^[\w./-]+:[\w.-]+/.test(rest) || /:latest\b/.test(rest)))
      faults.push(`FROM ${rest} has no tag that stays`)
    if (verb === 'ADD') faults.push('ADD fetches and unpacks unseen; COPY what is needed')
    if (verb === 'COPY' && /(^| )\.\/? \S+$/.test(rest)) faults.push('COPY of the whole folder; name what is needed')
    if (verb === 'WORKDIR' && !rest.startsWith('/')) faults.push(`WORKDIR ${rest} is not absolute`)
    if ((verb === 'CMD' || verb === 'ENTRYPOINT') && !rest.startsWith('['))
      faults.push(`${verb} is no list; a shell would swallow signals`)
    if ((verb === 'ENV' || verb === 'ARG') && /(TOKEN|SECRET|PASSWORD|KEY)\w*[= ]/.test(rest))
      faults.push(`${verb} holds a secret for ever`)
    if (verb !== 'RUN') continue
    if (/(curl|wget)[^|]*\|/.test(rest)) faults.push('RUN pipes a download into a shell')
    if (/\bnpm install(?! .*@\d)/.test(rest)) faults.push('npm install without a version')
    if (/\bpnpm install(?!.*--frozen-lockfile)/.test(rest))
      faults.push('pnpm install is not held to the frozen lockfile')
    if (/\bsudo\b/.test(rest)) faults.push('RUN needs no sudo')
  }
  const user = last.findLast(({ verb }) => verb === 'USER')?.rest ?? ''
  if (!/^[1-9][0-9]*(:[1-9][0-9]*)?$/.test(user))
    faults.push('it runs as root, or as a name that an orchestrator cannot tell from root')
  if (!last.some(({ verb }) => verb === 'HEALTHCHECK')) faults.push('it has no HEALTHCHECK')
  if (last.some(({ verb, rest }) => verb === 'RUN' && /\b(npm|pnpm|npx)\b/.test(rest)))
    faults.push('the last stage installs packages')
  return faults
}
