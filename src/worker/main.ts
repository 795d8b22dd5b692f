import { TrueupError } from '../lib/errors/error.ts'
import { runInForeground } from './foreground.ts'
import { createLogger } from './logging.ts'
import { parseOptions } from './options.ts'

/** Entry of the runner's process. Exit code 1 with the reason on standard error when it cannot start. */
async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2), process.env)
  try {
    await runInForeground(options, createLogger())
  } catch (thrown) {
    process.stderr.write(thrown instanceof TrueupError ? `${thrown.explain()}\n` : `${String(thrown)}\n`)
    process.exitCode = 1
  }
  // Nothing that a library may have left open holds the process: the runner has come to its end.
  process.exit()
}

await main()
