import type { ResolvedInput } from '../../domain/stacks/stack.ts'
import { listVariables, type Variable } from '../../store/stacks/variables.ts'
import { digestibleInputs, fullDigest } from './inputs.ts'
import { hashKeyOf } from '../keys.ts'
import type { EngineParts } from '../parts.ts'
import type { RunSpec } from '../run-spec.ts'
import { variableVersions } from './variables.ts'

/** The desired digest of a stack with these inputs and the variables as they are now, which who has many stacks gives. */
export async function desiredDigestOf(
  parts: EngineParts,
  repositoryId: string,
  spec: Pick<RunSpec, 'definition' | 'sourceDigest'>,
  inputs: { [name: string]: ResolvedInput },
  variables?: readonly Variable[],
): Promise<string> {
  return fullDigest({
    sourceDigest: spec.sourceDigest,
    inputs: await digestibleInputs(inputs, () => hashKeyOf(parts, repositoryId)),
    variableVersions: variableVersions(
      variables ?? (await listVariables(parts.store.db, repositoryId)),
      spec.definition,
    ),
    destroy: false,
  })
}

/** The desired digest of a stack that is not to be: what it was made of is all that tells one such state from another. */
export const destroyedDigest = (sourceDigest: string): string =>
  fullDigest({ sourceDigest, inputs: {}, variableVersions: {}, destroy: true })
