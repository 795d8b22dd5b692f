import { readFile, rm, stat } from 'node:fs/promises'
import { z } from 'zod'
import type { Output } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import { textsIn } from '../../../lib/json.ts'
import type { ProcessResult } from '../../../lib/process/supervise.ts'
import type { DriverContext } from '../../driver.ts'
import type { ShellConfig } from '../config.ts'
import { OutputMessage } from './wire.ts'
import { outputsFile, shellEnvironment } from './environment.ts'

export type ShellContext = DriverContext<ShellConfig>
const OUTPUTS_BYTES = 4 * 1024 * 1024

/** Runs one of the stack's shell commands in its directory. `quiet`: stdout is for a machine and not for the log. */
export async function runShell(context: ShellContext, command: string, quiet = false): Promise<ProcessResult> {
  await rm(outputsFile(context), { force: true })
  return await context.run({
    argv: [context.config.shell, '-c', command],
    cwd: context.directory,
    env: shellEnvironment(context),
    quiet,
    ...(quiet && { onLine: (line, stream) => stream === 'stderr' && context.log(line) }),
  })
}

const Outputs = z.record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/), z.union([OutputMessage, z.json()]))

/**
 * What the command wrote to `$TRUEUP_OUTPUTS_FILE`: a JSON object of name → value, or name → `{"value", "sensitive"}`.
 * @throws TOOL_OUTPUT when there is something else in it.
 */
export async function readOutputs(context: ShellContext): Promise<{ [name: string]: Output }> {
  const file = outputsFile(context)
  const status = await stat(file).catch(() => null)
  if (status === null) return {}
  try {
    // Before it is read: a pipe would never end, and a gigabyte would not fit.
    if (!status.isFile()) throw new Error('it is no file')
    if (status.size > OUTPUTS_BYTES) throw new Error(`it is longer than ${OUTPUTS_BYTES} bytes`)
    const text = await readFile(file, 'utf8')
    const outputs: { [name: string]: Output } = {}
    for (const [name, given] of Object.entries(Outputs.parse(JSON.parse(text)))) {
      const output = OutputMessage.safeParse(given)
      outputs[name] = output.success ? output.data : { value: z.json().parse(given), sensitive: false }
      if (outputs[name].sensitive) for (const part of textsIn(outputs[name].value)) context.mask(part)
    }
    return outputs
  } catch (thrown) {
    throw new TrueupError('TOOL_OUTPUT', {
      doing: 'reading $TRUEUP_OUTPUTS_FILE',
      why: thrown instanceof z.ZodError ? z.prettifyError(thrown) : String(thrown),
      next: 'Write one JSON object of output names and values to the file.',
      cause: thrown,
    })
  }
}
