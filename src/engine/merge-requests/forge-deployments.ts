import { isFinal, type RunState } from '../../domain/runs/run.ts'
import type { Forge, ForgeDeployment } from '../../forges/forge.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import type { EngineParts } from '../parts.ts'
import { environmentRules } from '../stacks/environment-rules.ts'

/** The newest run of each stack that a merge request deploys. */
export interface Deployed {
  environment: string
  state: RunState
}

/**
 * Shows on the forge's own pages what is deployed where, an environment at a time. Gives why not, in words, where the forge does
 * not let Trueup: nothing else has to wait for that.
 */
export async function showDeployments(
  parts: EngineParts,
  forge: Forge,
  { id, repositoryId, mergeOid }: MergeRequest,
  deployed: readonly Deployed[],
): Promise<string | null> {
  if (forge.can.deployments !== true || mergeOid === null) return null
  const environments = Map.groupBy(deployed, (its) => its.environment)
  for (const [environment, its] of environments) {
    const so = stateOf(its.map(({ state }) => state))
    if (!so) continue
    const rules = await environmentRules(parts, repositoryId, environment)
    const production = rules?.tier === 'production'
    try {
      await forge.deployments.set(id, mergeOid, { environment, production, ...so })
    } catch (thrown) {
      if (!(thrown instanceof TrueupError && ['FORGE_PERMISSION', 'FORGE_REFUSED'].includes(thrown.code))) throw thrown
      return `${thrown.text.doing}: ${thrown.text.why}`
    }
  }
  return null
}

/** Null where nothing has begun: what waits for a worker or an approval is no deployment yet. */
function stateOf(states: readonly RunState[]): Pick<ForgeDeployment, 'state' | 'description'> | null {
  const done = states.filter((state) => state === 'succeeded').length
  const description = `${done} of ${states.length} ${states.length === 1 ? 'stack' : 'stacks'} deployed`
  const hasBegun = states.some((state) => isFinal(state) || state === 'applying' || state === 'verifying')
  if (!hasBegun) return null
  if (states.some((state) => state === 'failed' || state === 'lost')) return { state: 'failure', description }
  if (!states.every(isFinal)) return { state: 'running', description }
  return { state: done === states.length ? 'success' : 'canceled', description }
}
