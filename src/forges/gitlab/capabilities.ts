import type { Capabilities } from '../capabilities.ts'

export const CAPABILITIES: Capabilities = {
  methods: {
    merge: true,
    squash: true,
    rebase:
      'GitLab rebases the branch of the merge request itself, which is another head with plans of its own: rebase it there, and Trueup merges it',
    'fast-forward': true,
  },
  requestChanges: true,
  discussion: 'people talk on GitLab itself, where everybody sees it; Trueup writes its own comments there',
  commands: true,
  statuses: true,
  deployments: true,
  forks: true,
  renaming: true,
  credentials: true,
}
