import type { Capabilities } from '../capabilities.ts'

export const CAPABILITIES: Capabilities = {
  methods: { merge: true, squash: true, rebase: true, 'fast-forward': 'GitHub does not fast-forward' },
  requestChanges: true,
  discussion: 'people talk on GitHub itself, where everybody sees it; Trueup writes its own comments there',
  commands: true,
  statuses: true,
  deployments: true,
  forks: true,
  renaming: true,
  credentials: true,
}
