import type { StackDefinition } from '../../domain/stacks/definition.ts'
import type { Stack } from '../../store/stacks/stacks.ts'
import { stackCapabilities } from '../driver-capabilities.ts'
import type { RunSpec } from '../run-spec.ts'

/** What becomes of a stack that leaves Git. */
export type RemovalFate =
  | { how: 'nothing'; why: string }
  | { how: 'keep'; why: string }
  | { how: 'destroy'; commitOid: string; spec: RunSpec }

/**
 * Decided by the configuration before the change, so that a change cannot both remove a stack and say what becomes of it.
 * `configured`: there still is a trueup.yaml. Removing that, and with it everything at once, is far more often an accident
 * than a wish.
 */
export function removalFate(stack: Stack | undefined, definition: StackDefinition, configured: boolean): RemovalFate {
  if (stack?.status === 'deploying' && stack.deployedCommit === null)
    return { how: 'nothing', why: 'is being deployed for the first time: what comes of that is listed as orphaned' }
  if (!stack || (stack.deployedCommit === null && stack.brokenByRunId === null))
    return { how: 'nothing', why: 'was never deployed; nothing is left behind' }
  const keep = (why: string): RemovalFate => ({ how: 'keep', why: `${why} and listed as orphaned` })
  if (!configured) return keep('trueup.yaml is gone: the stack is kept')
  if (definition.onRemove !== 'destroy') return keep('kept (onRemove: keep)')
  const deployed = stack.deployedConfig as unknown as RunSpec | null
  if (!deployed || stack.deployedCommit === null) return keep('kept: its only deployment did not succeed')
  if (!stackCapabilities(deployed.definition).destroy)
    return keep(`kept: driver "${deployed.definition.driver}" cannot destroy it`)
  return { how: 'destroy', commitOid: stack.deployedCommit, spec: { ...deployed, destroy: true, cause: 'config' } }
}
