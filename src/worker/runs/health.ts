import type { DriverContext, Health } from '../../drivers/driver.ts'
import type { CommandResult } from '../../domain/wire/plan-parts.ts'
import { asTrueupError } from '../../lib/errors/error.ts'

/** The driver's own verdict on what was applied, in the form of a `verify:` command. Never throws. */
export async function checkHealth(
  health: () => Promise<Health>,
  context: Pick<DriverContext<unknown>, 'log'>,
  mask: (text: string) => string,
): Promise<CommandResult> {
  const startedAt = performance.now()
  const verdict = (ok: boolean, output: string): CommandResult => ({
    name: 'health',
    ok,
    exitCode: null,
    output: mask(output),
    durationMs: Math.round(performance.now() - startedAt),
  })
  try {
    const { healthy, lines } = await health()
    for (const line of lines) context.log(line)
    return verdict(healthy, lines.join('\n'))
  } catch (thrown) {
    return verdict(false, asTrueupError(thrown, 'waiting for what was applied to be healthy').explain())
  }
}
