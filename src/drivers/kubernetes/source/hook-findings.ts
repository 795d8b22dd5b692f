import type { Finding } from '../../../domain/plans/plan.ts'
import { hookOf } from '../objects/hooks.ts'
import { addressOf, refOf } from '../objects/object.ts'
import type { Rendered } from './render.ts'

/** What hooks name and nobody here runs. */
export function hookFindings({ manifests }: Pick<Rendered, 'manifests'>): Finding[] {
  return manifests.flatMap(({ object, path }): Finding[] => {
    const hook = hookOf(object)
    if (!hook || hook.unknown.length === 0) return []
    const rest = hook.runs.length === 0 ? 'it is not run at all' : 'it is run for its other events'
    const message = `${addressOf(refOf(object))} is a hook of ${hook.unknown.join(', ')}, which does not exist here: ${rest}`
    return [{ severity: 'warning', code: 'hook_not_run', message, ...(path !== undefined && { path }) }]
  })
}
