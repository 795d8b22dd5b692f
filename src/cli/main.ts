import { CommanderError } from 'commander'
import { type ListedProblem, listedProblems, problemText } from '../domain/config/problems.ts'
import { visible } from '../domain/render/safe-text.ts'
import { asTrueupError, TrueupError } from '../lib/errors/error.ts'
import { keepPausesShort } from '../lib/short-pauses.ts'
import { onStopRequests } from '../lib/process/stop-signals.ts'
import { createCli } from './cli.ts'
import { commandModules } from './commands/index.ts'
import { buildProgram } from './program.ts'

/** Commands that go on until they are stopped; another word of that name costs a short command nothing to speak of. */
const STAYING = new Set(['up', 'runner', 'agent'])

/** Runs one command line and says the exit code. Errors are explained on stderr, as JSON under `--output json`. */
async function main(argv: string[]): Promise<number> {
  let exitCode: 0 | 1 | 2 = 0
  if (argv.some((word) => STAYING.has(word))) keepPausesShort()
  const json = wantsJson(argv)
  const signals = listenToSignals()
  const cli = createCli({
    streams: { out: process.stdout, err: process.stderr, env: process.env },
    stdin: process.stdin,
    env: process.env,
    cwd: process.cwd(),
    signal: signals.signal,
    takeSignals: signals.stop,
    exitWith: (code) => {
      exitCode = code
    },
  })
  try {
    await buildProgram(cli, await commandModules(argv), { quiet: json }).parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return json ? reportUsage(error) : error.exitCode
    const told = asTrueupError(error, `trueup ${argv[0] ?? ''}`.trim())
    report(told, json)
    return told.code === 'CANCELED' && cli.signal.aborted ? exitOf(cli.signal) : told.exit
  }
}

function report(error: TrueupError, json: boolean): void {
  process.stderr.write(json ? `${JSON.stringify(error.toJSON())}\n` : `error: ${error.explain()}\n`)
  if (!json) process.stderr.write(problemsText(listedProblems(error.text.details)))
  if (error.code === 'INTERNAL' && process.env.TRUEUP_DEBUG) process.stderr.write(`${String(error.text.cause)}\n`)
}

/** The lines of a file that its problems stand in, each once; the first problem is said by the error itself. */
function problemsText(problems: readonly ListedProblem[]): string {
  return problems
    .map((problem, index) => {
      const said = index === 0 ? '' : `  ${problemText(problem)}\n`
      const isShown = problems.slice(0, index).some(({ line }) => line === problem.line)
      if (problem.excerpt === undefined || isShown) return said
      return `${said}${String(problem.line).padStart(6)} | ${visible(problem.excerpt)}\n`
    })
    .join('')
}

/** A command line that commander refuses, for a program that reads standard error. Help and version were printed. */
function reportUsage(error: CommanderError): number {
  if (error.exitCode === 0 || error.code === 'commander.help') return error.exitCode
  const why = error.message.replace(/^error: /, '')
  report(new TrueupError('INVALID_REQUEST', { doing: 'reading the command line', why, next: 'Add --help.' }), true)
  return error.exitCode
}

const wantsJson = (argv: string[]): boolean =>
  argv.some(
    (word, i) =>
      word === '--output=json' || word === '-ojson' || (/^(--output|-o)$/.test(word) && argv[i + 1] === 'json'),
  )

/** The first signal asks the command to stop, the second ends the process at once. */
function listenToSignals(): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController()
  const { signal } = controller
  const stop = onStopRequests((name, nth) => {
    if (nth > 1) process.exit(exitOf(signal))
    controller.abort(name)
  })
  return { signal, stop }
}

/** As a shell says it: 128 and the number of the signal. */
const exitOf = (signal: AbortSignal): number => (signal.reason === 'SIGTERM' ? 143 : 130)

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that goes away early (`trueup audit list | head`) is no error.
    if (error.code === 'EPIPE') process.exit(0)
    // A full disk behind `> file`, for one: the rest of the output is lost, and whoever reads the file must know.
    if (stream === process.stdout) process.stderr.write(`error: writing standard output: ${error.message}\n`)
    process.exit(1)
  })
}

process.exitCode = await main(process.argv.slice(2))
