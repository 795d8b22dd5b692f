import { z } from 'zod'
import type { ProcessResult, ProcessSpec } from '../../../lib/process/supervise.ts'
import type { DriverContext } from '../../driver.ts'
import type { TerraformConfig } from '../config.ts'
import { Diagnostic, diagnosticLines } from './diagnostics.ts'

/**
 * One line of `-json` output, only the fields used.
 * https://developer.hashicorp.com/terraform/internals/machine-readable-ui
 */
export const ToolEvent = z.object({
  '@message': z.string(),
  type: z.string(),
  hook: z
    .object({
      resource: z.object({ addr: z.string() }).optional(),
      action: z.string().optional(),
    })
    .optional(),
  diagnostic: Diagnostic.optional(),
})
export type ToolEvent = z.infer<typeof ToolEvent>

/** Refreshing 10,000 resources is 20,000 lines that nobody reads; a slow one is seen by its diagnostics. */
const NOT_FOR_PEOPLE = new Set(['version', 'refresh_start', 'refresh_complete', 'outputs', 'log'])
/** A planned change of a large resource is one line; beyond this the line is cut and no longer JSON. */
const MAX_LINE_BYTES = 4 * 1024 * 1024

export interface EventedResult {
  result: ProcessResult
  diagnostics: Diagnostic[]
}

/**
 * Runs the tool with `-json`: events become readable lines of the run's log, diagnostics are collected. A line that is
 * not JSON (a crash of the tool, a provider that prints) goes to the log as it is.
 */
export async function runWithEvents(
  context: DriverContext<TerraformConfig>,
  spec: ProcessSpec,
  onEvent: (event: ToolEvent) => void = () => {},
): Promise<EventedResult> {
  const diagnostics: Diagnostic[] = []
  const onLine = (line: string, stream: 'stdout' | 'stderr'): void => {
    const event = stream === 'stdout' ? parseEvent(line) : null
    if (event === null) {
      if (line.trim() !== '') context.log(line)
      return
    }
    if (event.diagnostic !== undefined) {
      diagnostics.push(event.diagnostic)
      for (const text of diagnosticLines(event.diagnostic)) context.log(text)
    } else if (!NOT_FOR_PEOPLE.has(event.type)) context.log(event['@message'])
    onEvent(event)
  }
  const result = await context.run({ maxLineBytes: MAX_LINE_BYTES, ...spec, onLine, quiet: true })
  return { result, diagnostics }
}

function parseEvent(line: string): ToolEvent | null {
  if (!line.startsWith('{')) return null
  try {
    return ToolEvent.safeParse(JSON.parse(line)).data ?? null
  } catch {
    return null
  }
}
