import type { Capabilities } from '../capabilities.ts'

export const CAPABILITIES: Capabilities = {
  methods: { merge: true, squash: true, rebase: true, 'fast-forward': true },
  requestChanges: true,
  discussion: 'people talk on Gitea itself, where everybody sees it; Trueup writes its own comments there',
  commands: true,
  statuses: true,
  deployments: 'Gitea shows no environments: what is deployed where stands in Trueup and in its comment',
  forks:
    'merge requests from forks are not planned: what a stranger pushes is not run. Push the branch to the repository itself',
  renaming: true,
  credentials: true,
}
