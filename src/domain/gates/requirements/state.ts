import { type ChangeKind, unmet } from './kind.ts'

export const state: ChangeKind = (facts) => {
  switch (facts.state) {
    case 'open':
    case 'merging':
      return []
    case 'merged':
      return [unmet('state', 'the merge request is merged', 'Open a new one for further changes.')]
    case 'closed':
      return [unmet('state', 'the merge request is closed', 'Reopen it.')]
  }
}
