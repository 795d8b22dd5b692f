import type { Requirement } from '../facts.ts'
import { type EnvironmentKind, listed, met, unmet, warning } from './kind.ts'

export const policies: EnvironmentKind = ({ environment: { name: environment }, stacks }) => {
  const results = stacks.flatMap((stack) => stack.policies.map((result) => ({ ...result, stack: stack.name })))
  const blocking = results.filter(({ outcome }) => outcome === 'deny' || outcome === 'error')
  const warnings = results.filter(({ outcome }) => outcome === 'warn')
  const text = (list: typeof results) =>
    listed(list.map(({ name, stack, message }) => `${name} (${stack}): ${message}`))
  const found: Requirement[] = []
  if (blocking.length > 0) {
    const next = 'Change the merge request so that the policy passes, or change the policy on the target branch first.'
    found.push(unmet('policies', text(blocking), next, environment))
  } else if (results.length > 0) {
    found.push(met('policies', 'no policy denies this', environment))
  }
  if (warnings.length > 0) found.push(warning('policies', text(warnings), 'Consider the warning.', environment))
  return found
}
