import { type EnvironmentKind, listed, unmet } from './kind.ts'

export const quarantine: EnvironmentKind = ({ environment: { name: environment }, stacks }) => {
  const back = stacks.filter((stack) => stack.quarantined !== undefined)
  if (back.length === 0) return []
  const what = back.map(({ name, quarantined }) => `${name} (${quarantined})`)
  const next = 'Change the merge request, or lift the quarantine when that state is good again.'
  return [unmet('quarantine', `brings back what was rolled back: ${listed(what)}`, next, environment)]
}
