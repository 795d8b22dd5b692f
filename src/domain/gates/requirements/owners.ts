import type { OwnersProblem } from '../code-owners.ts'
import { type ChangeKind, listed, warning } from './kind.ts'

/** A line of CODEOWNERS that says nothing protects nothing: whoever relies on it has to hear of it. */
export const owners: ChangeKind = ({ ownersProblems: { standing, brought } }) => [
  ...(brought.length === 0
    ? []
    : [warning('owners', `CODEOWNERS of this change: ${textOf(brought)}`, 'Correct the file and push.')]),
  ...(standing.length === 0
    ? []
    : [warning('owners', `CODEOWNERS of the target branch: ${textOf(standing)}`, 'Correct it by a merge request.')]),
]

const textOf = (problems: readonly OwnersProblem[]): string =>
  listed(problems.map(({ line, message }) => `line ${line}: ${message}`))
