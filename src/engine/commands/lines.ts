import { inert } from '../../domain/render/markdown-text.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { MrStack } from './order.ts'

/** Stacks that an answer names; the rest is counted. */
const MAX_LINES = 50

export const lineOf = (stack: MrStack, what: string): string => `- **${inert(stack.key)}**: ${what}`

/** Does something to each stack, and says of each what came of it. What a forge cannot tell now is tried again later. */
export async function eachStack(
  stacks: readonly MrStack[],
  act: (stack: MrStack) => Promise<string>,
): Promise<string[]> {
  const lines: string[] = []
  for (const stack of stacks) {
    const said = await act(stack).catch((thrown: unknown) => refusalOf(thrown))
    if (lines.length < MAX_LINES) lines.push(lineOf(stack, said))
  }
  return stacks.length > MAX_LINES ? [...lines, `- and ${stacks.length - MAX_LINES} more`] : lines
}

/** Why something was refused, in words; throws what is no refusal. */
export function refusalOf(thrown: unknown): string {
  if (!(thrown instanceof TrueupError) || AGAIN.has(thrown.code)) throw thrown
  return `no: ${inert(thrown.text.why)}. ${inert(thrown.next)}`
}

/** The forge or its Git is away: obeyed when it is back. */
const AGAIN: ReadonlySet<string> = new Set(['FORGE_UNREACHABLE', 'REMOTE_UNREACHABLE', 'INTERNAL'])

export const runLine = (what: string, runId: string): string => `${what} (\`trueup run show ${runId}\`)`
