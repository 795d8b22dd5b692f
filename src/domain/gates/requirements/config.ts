import { type ChangeKind, met, unmet } from './kind.ts'

/** trueup.yaml of the merge result can be read. */
export const config: ChangeKind = ({ problems }) => {
  const [first] = problems
  if (!first) return [met('config', 'trueup.yaml is valid')]
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  return [unmet('config', `${first.doing}: ${first.why}${more}`, first.next)]
}
