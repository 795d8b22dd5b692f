import { type ChangeKind, unmet } from './kind.ts'

/** While nobody knows which stacks are affected, that none has a plan missing says nothing. */
export const affected: ChangeKind = ({ previewed }) =>
  previewed ? [] : [unmet('plans', 'it is not yet known which stacks are affected', 'Wait for the previews to start.')]
