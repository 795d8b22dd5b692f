import type { DriverContext } from '../../drivers/driver.ts'
import { asTrueupError } from '../../lib/errors/error.ts'
import type { CommandResult } from '../../domain/wire/plan-parts.ts'
import type { Grant } from '../protocol.ts'

const TAIL_CHARS = 64 * 1024

/** Runs the user's `checks:` or `verify:` commands in order; one that fails does not keep the others from running. */
export async function runCommands(
  commands: Grant['checks'],
  context: DriverContext<unknown>,
  mask: (text: string) => string,
): Promise<CommandResult[]> {
  const results: CommandResult[] = []
  for (const command of commands) {
    context.signal.throwIfAborted()
    results.push(await runCommand(command, context, mask))
  }
  return results
}

async function runCommand(
  command: Grant['checks'][number],
  context: DriverContext<unknown>,
  mask: (text: string) => string,
): Promise<CommandResult> {
  const tail = tailOf(TAIL_CHARS)
  const startedAt = performance.now()
  context.log(`$ ${command.name}`)
  try {
    const result = await context.run({
      argv: ['/bin/sh', '-c', command.run],
      cwd: context.directory,
      env: context.env,
      timeoutMs: command.timeoutMs,
      maxOutputBytes: 0,
      onLine: tail.add,
    })
    if (result.timedOut) tail.add(`ended: it took longer than ${command.timeoutMs / 1000} s`)
    const ok = result.exitCode === 0 && !result.timedOut && !result.canceled
    return {
      name: command.name,
      ok,
      exitCode: result.exitCode,
      output: mask(tail.text()),
      durationMs: result.durationMs,
    }
  } catch (thrown) {
    // It could not even be started: that is a verdict on the command too, and not the end of the run.
    const error = asTrueupError(thrown, `running "${command.name}"`)
    const durationMs = Math.round(performance.now() - startedAt)
    return { name: command.name, ok: false, exitCode: null, output: mask(error.explain()), durationMs }
  }
}

function tailOf(limit: number): { add: (line: string) => void; text: () => string } {
  let kept = ''
  return {
    add(line) {
      kept += `${line}\n`
      if (kept.length > 2 * limit) kept = lastLines(kept, limit)
    },
    text: () => lastLines(kept, limit),
  }
}

/** Whole lines, where there is more than one: in half of one the half of a secret would not be found. */
function lastLines(text: string, limit: number): string {
  const from = text.length - limit
  if (from <= 0) return text
  const end = text.indexOf('\n', from - 1) + 1
  return end === 0 || end === text.length ? text.slice(from) : text.slice(end)
}
