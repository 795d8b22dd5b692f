import { type EnvironmentKind, listed, unmet, warning } from './kind.ts'

/**
 * A plan that broke off on a part of a stack says nothing of that part: it is mended, or the environment allows to deploy it
 * unseen. A provisional plan is made again when it is deployed.
 */
export const unplannable: EnvironmentKind = ({ environment: { name, unplannable: rule }, stacks }) => {
  const broken = stacks.filter((stack) => stack.unplannable.length > 0)
  const [provisional, fixed] = [
    broken.filter((stack) => stack.provisional),
    broken.filter((stack) => !stack.provisional),
  ]
  const message = (which: typeof broken): string => {
    const parts = which.flatMap((stack) =>
      stack.unplannable.map(({ address, why }) => `${address === '*' ? 'a part' : address} of ${stack.name} (${why})`),
    )
    return `an error kept from planning ${listed(parts)}`
  }
  const told = rule === 'allow' ? broken : provisional
  const found =
    told.length === 0 ? [] : [warning('plans', message(told), 'It is deployed without having been seen.', name)]
  if (rule === 'allow' || fixed.length === 0) return found
  const next = `Mend it and push, or set unplannable: allow for ${name} in trueup.yaml of the target branch to deploy it unseen.`
  return [unmet('plans', message(fixed), next, name), ...found]
}
