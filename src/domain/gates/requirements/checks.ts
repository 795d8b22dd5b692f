import { type EnvironmentKind, listed, met, unmet } from './kind.ts'

export const checks: EnvironmentKind = ({ environment: { name: environment }, stacks }) => {
  const all = stacks.flatMap((stack) => stack.checks.map((check) => ({ ...check, stack: stack.name })))
  if (all.length === 0) return []
  const failed = all.filter(({ ok }) => !ok).map(({ name, stack }) => `${name} of ${stack}`)
  if (failed.length === 0) return [met('checks', 'all checks passed', environment)]
  return [
    unmet('checks', `${listed(failed)} did not pass`, 'Read its output below, fix the cause and push.', environment),
  ]
}
