import type { DriverContext, Health } from '../../drivers/driver.ts'
import type { CommandResult } from '../../domain/wire/plan-parts.ts'
import { asTrueupError } from '../../lib/errors/error.ts'

/** The driver's own verdict on what was applied, in the form of a `verify:` command. */
export interface CheckedHealth {
  result: CommandResult
  /** A newer change ended the wait for it. */
  cutShort: boolean
}

/** Asks the driver. Never throws. */
export async function checkHealth(
  health: () => Promise<Health>,
  context: Pick<DriverContext<unknown>, 'log'>,
  mask: (text: string) => string,
): Promise<CheckedHealth> {
  const startedAt = performance.now()
  const verdict = (ok: boolean, output: string): CommandResult => {
    const durationMs = Math.round(performance.now() - startedAt)
    return { name: 'health', ok, exitCode: null, output: mask(output), durationMs }
  }
  try {
    const { healthy, lines, cutShort = false } = await health()
    for (const line of lines) context.log(line)
    return { result: verdict(healthy, lines.join('\n')), cutShort }
  } catch (thrown) {
    const why = asTrueupError(thrown, 'waiting for what was applied to be healthy').explain()
    return { result: verdict(false, why), cutShort: false }
  }
}
