import { runCommand } from '#cli'
import { cliPorts } from '#host'

process.exitCode = await runCommand(process.argv.slice(2), cliPorts)
