import type { Capabilities } from '../capabilities.ts'

export const CAPABILITIES: Capabilities = {
  methods: { merge: true, squash: true, rebase: true, 'fast-forward': true },
  requestChanges: true,
  discussion: 'people talk on Gitea itself, where everybody sees it; Trueup writes its own comments there',
  commands: true,
  statuses: true,
  deployments: 'Gitea shows no environments: what is deployed where stands in Trueup and in its comment',
  forks: true,
  renaming: true,
  credentials: true,
}
