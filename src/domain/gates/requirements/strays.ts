import { type ChangeKind, listed, unmet } from './kind.ts'

/** A stack of an environment that nobody judged would merge unseen: say so instead. */
export const strays: ChangeKind = ({ stacks, environments }) => {
  const judged = new Set(environments.map(({ name }) => name))
  const stray = stacks.filter((stack) => !judged.has(stack.environment))
  if (stray.length === 0) return []
  const keys = listed(stray.map(({ key }) => key))
  return [
    unmet('approvals', `there are no rules for ${keys}`, 'Add the environment to trueup.yaml of the target branch.'),
  ]
}
