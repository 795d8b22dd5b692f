import { TrueupError } from '../../lib/errors/error.ts'
import type { ProcessResult } from '../../lib/process/supervise.ts'

const TAIL_LINES = 20
const TAIL_CHARS = 4_000

/** The last words of a program, for an error text: stderr where it said something there, else stdout. */
export function lastWords({ stdout, stderr }: Pick<ProcessResult, 'stdout' | 'stderr'>): string {
  const text = (stderr.trim() || stdout.trim()).split('\n').slice(-TAIL_LINES).join('\n')
  return text.length > TAIL_CHARS ? `…${text.slice(-TAIL_CHARS)}` : text
}

/** How a program ended, in words: `exit code 3`, `signal SIGSEGV`. */
export const ending = ({ exitCode, signal }: Pick<ProcessResult, 'exitCode' | 'signal'>): string =>
  exitCode === null ? `signal ${signal ?? 'unknown'}` : `exit code ${exitCode}`

/** @throws CANCELED or TIMED_OUT when the program was ended from outside. */
export function checkEnded(doing: string, result: ProcessResult): void {
  if (result.canceled) throw new TrueupError('CANCELED', { doing, why: 'the run was stopped' })
  if (result.timedOut) throw new TrueupError('TIMED_OUT', { doing, why: `it took longer than ${result.durationMs} ms` })
}

export function toolFailed(doing: string, result: ProcessResult): TrueupError {
  const words = lastWords(result)
  return new TrueupError('TOOL_FAILED', {
    doing,
    why: `it ended with ${ending(result)}${words ? `:\n${words}` : ' and said nothing'}`,
  })
}
