import type { GateFacts, Requirement } from '../facts.ts'
import { type ChangeKind, warning } from './kind.ts'

/** The rules stay in force: only whoever is judged by them has to know which these are. */
export const target: ChangeKind = ({ unreadableTarget, heldRules }) => [
  ...(unreadableTarget ? [unreadable(unreadableTarget)] : []),
  ...(heldRules ? [held(heldRules)] : []),
]

function unreadable({ branch, problem, commitOid }: NonNullable<GateFacts['unreadableTarget']>): Requirement {
  const judged =
    commitOid === null
      ? 'no earlier one could be read either'
      : `this is judged by the rules of ${commitOid.slice(0, 10)}, the last that could be read`
  return warning(
    'config',
    `trueup.yaml of ${branch} is broken: ${judged}; ${problem.doing}: ${problem.why}`,
    `Merge a change that repairs it: until then nothing of ${branch} is deployed.`,
  )
}

const held = ({ branch, commitOid }: NonNullable<GateFacts['heldRules']>): Requirement =>
  warning(
    'config',
    `the rules of ${branch} were changed past the gate: this is judged by those of ${commitOid.slice(0, 10)}`,
    'Whoever may approve a change of the rules approves this one with them, or the change is taken back.',
  )
