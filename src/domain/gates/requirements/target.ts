import { type ChangeKind, warning } from './kind.ts'

/** The rules stay in force: only whoever is judged by them has to know which these are. */
export const target: ChangeKind = ({ unreadableTarget }) => {
  if (!unreadableTarget) return []
  const { branch, problem, commitOid } = unreadableTarget
  const judged =
    commitOid === null
      ? 'no earlier one could be read either'
      : `this is judged by the rules of ${commitOid.slice(0, 10)}, the last that could be read`
  return [
    warning(
      'config',
      `trueup.yaml of ${branch} is broken: ${judged}; ${problem.doing}: ${problem.why}`,
      `Merge a change that repairs it: until then nothing of ${branch} is deployed.`,
    ),
  ]
}
