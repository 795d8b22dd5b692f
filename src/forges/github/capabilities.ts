import type { Capabilities } from '../capabilities.ts'

export const CAPABILITIES: Capabilities = {
  methods: { merge: true, squash: true, rebase: true, 'fast-forward': 'GitHub does not fast-forward' },
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
