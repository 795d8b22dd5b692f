import type { Output } from '../../domain/plans/plan.ts'
import type { ResolvedInput, StackKey } from '../../domain/stacks/stack.ts'
import type { StackDefinition } from '../../domain/stacks/definition.ts'
import { digestOf, keyedHash } from '../../lib/digest.ts'
import type { Json } from '../../lib/json.ts'

/** Why nobody can say which outputs an upstream stack will have: its plan is being made, did not succeed, or cannot begin. */
export type NoOutputs = 'pending' | 'failed' | 'unplanned'

/** What is known of one upstream stack's outputs. */
export type OutputsOf = (stack: StackKey) => { [name: string]: Output } | NoOutputs | null

export type InputResolution =
  | { status: 'resolved'; inputs: { [name: string]: ResolvedInput } }
  /** An upstream plan of the same MR is not there. */
  | { status: NoOutputs; stack: StackKey }
  /** The value is known only after the upstream stack is applied. */
  | { status: 'unknown'; input: string; stack: StackKey }
  | { status: 'missing'; input: string; stack: StackKey; output: string }

/** Resolves a stack's inputs from the outputs of other stacks; the first obstacle wins. */
export function resolveInputs(
  definition: Pick<StackDefinition, 'inputs'>,
  outputsOf: OutputsOf,
  predicted: boolean,
): InputResolution {
  const inputs: { [name: string]: ResolvedInput } = {}
  for (const [input, from] of Object.entries(definition.inputs)) {
    const outputs = outputsOf(from.stack)
    if (typeof outputs === 'string') return { status: outputs, stack: from.stack }
    const output = outputs?.[from.output]
    if (!output) return { status: 'missing', input, stack: from.stack, output: from.output }
    if (output.unknown) return { status: 'unknown', input, stack: from.stack }
    inputs[input] = { value: output.value, sensitive: output.sensitive, ...(predicted && { predicted: true }) }
  }
  return { status: 'resolved', inputs }
}

/**
 * Inputs as they enter a digest: sensitive ones as keyed hashes, whether they are predicted or not left out. The key is
 * asked for only where there is such a one.
 */
export async function digestibleInputs(
  inputs: { [name: string]: ResolvedInput },
  hashKey: () => Promise<Buffer>,
): Promise<{ [name: string]: Json }> {
  const digestible: { [name: string]: Json } = {}
  for (const [name, input] of Object.entries(inputs))
    digestible[name] = input.sensitive ? keyedHash(await hashKey(), input.value) : input.value
  return digestible
}

/**
 * The desired digest of a stack: its source, the values of its inputs and the versions of its variables. Equal digests
 * mean that there is nothing to do, whatever the commit.
 */
export function fullDigest(parts: {
  sourceDigest: string
  inputs: { [name: string]: Json }
  variableVersions: { [name: string]: string }
  destroy: boolean
}): string {
  return digestOf(parts)
}
