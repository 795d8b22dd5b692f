import { type ChangeKind, unmet } from './kind.ts'

export const draft: ChangeKind = (facts) =>
  facts.draft ? [unmet('draft', 'the merge request is a draft', 'Mark it as ready.')] : []
