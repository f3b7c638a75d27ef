import { type Finding, runDoctor } from '#api'
import type { CliPorts, Common } from './ports.ts'

const marks: Record<Finding['state'], string> = { good: 'ok  ', warning: 'WARN', bad: 'BAD ', skipped: 'skip' }

/** `pelago doctor`: exit code 1 when something is bad. */
export async function doctor(ports: CliPorts, { data, json }: Common): Promise<number> {
  const answer = await ports.client(data).ask(runDoctor, {})
  if (json) ports.out(JSON.stringify(answer))
  else {
    for (const { step, state, says, mend } of answer.findings) {
      ports.out(`${marks[state]}  ${step}: ${says}`)
      if (mend !== '') ports.out(`      ${mend}`)
    }
  }
  return answer.findings.some(({ state }) => state === 'bad') ? 1 : 0
}
