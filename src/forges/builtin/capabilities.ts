import type { Capabilities } from '../capabilities.ts'

export const CAPABILITIES: Capabilities = {
  methods: {
    merge: true,
    squash: true,
    rebase:
      'the built-in forge merges by a merge commit or squashed, so that each merge is one commit that can be signed',
    'fast-forward':
      'the built-in forge merges by a merge commit or squashed, so that each merge is one commit that can be signed',
  },
  requestChanges: true,
  discussion: true,
  commands: 'on Trueup’s own page and command line there is a button or a command for all of it',
  statuses: 'the built-in forge shows the verdict of the gate on the merge request itself',
  deployments: 'Trueup’s own pages show what is deployed where',
  forks: 'the built-in forge has no forks: who may propose has a branch in the repository',
  renaming: 'a repository of the built-in forge keeps its name, which stands in what its merges are signed for',
  credentials: 'the built-in forge is the server itself and needs no credentials',
}
