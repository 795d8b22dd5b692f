import { z } from 'zod'
import type { Output } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import { type Json, textsIn } from '../../../lib/json.ts'
import type { DriverContext } from '../../driver.ts'
import type { TerraformConfig } from '../config.ts'
import { toolError } from '../tool/diagnostics.ts'
import { parseExactly } from '../tool/exact-json.ts'
import type { Session } from '../session.ts'

const OutputsJson = z.record(z.string(), z.object({ value: z.custom<Json>(() => true), sensitive: z.boolean() }))

/** Root outputs after an apply. Sensitive ones are real here (other stacks need them); the server seals them. */
export async function readOutputs(
  context: DriverContext<TerraformConfig>,
  session: Session,
): Promise<{ [name: string]: Output }> {
  const doing = `reading the outputs of stack "${context.stack.name}"`
  const result = await context.run({ ...session.command('output', '-json'), quiet: true, graceMs: 2_000 })
  if (result.exitCode !== 0) throw toolError(doing, result, [])
  const outputs = OutputsJson.safeParse(parseExactly(result.stdout))
  if (!outputs.success) throw new TrueupError('TOOL_OUTPUT', { doing, why: 'unexpected shape', cause: outputs.error })
  for (const { value, sensitive } of Object.values(outputs.data)) {
    if (sensitive) for (const text of textsIn(value)) context.mask(text)
  }
  return Object.fromEntries(
    Object.entries(outputs.data).map(([name, { value, sensitive }]) => [name, { value, sensitive }]),
  )
}
