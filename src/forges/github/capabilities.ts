import type { Capabilities } from '../capabilities.ts'

const ONE_COMMIT =
  'each merge is one commit on the target branch, which stands for its plans: Trueup merges by a merge commit or squashed'

export const CAPABILITIES: Capabilities = {
  methods: { merge: true, squash: true, rebase: ONE_COMMIT, 'fast-forward': ONE_COMMIT },
  requestChanges: true,
  discussion: 'people talk on GitHub itself, where everybody sees it; Trueup writes its own comments there',
  commands: true,
  statuses: true,
  deployments: true,
  forks:
    'pull requests from forks are not planned: what a stranger pushes is not run. Push the branch to the repository itself',
  renaming: true,
  credentials: true,
}
