import { TrueupError } from '../lib/errors/error.ts'

/** How a merge ends up on the target branch. */
export type MergeMethod = 'merge' | 'squash' | 'rebase' | 'fast-forward'

/** Yes, or the sentence that says why not and what holds instead. It stands in the forge's page and in the refusal. */
export type Can = true | string

/** What forges differ in. Everything else in the port every forge does. */
export interface Capabilities {
  methods: { readonly [method in MergeMethod]: Can }
  /** Reviews that ask for changes and block until they are taken back. */
  requestChanges: Can
  /** Comments of people, and threads that are resolved, on Trueup's own page. */
  discussion: Can
  /** Commands that people write into comments: `/trueup plan`. */
  commands: Can
  /** States of a commit, shown beside the merge request and possibly required by the forge. */
  statuses: Can
  /** What is deployed where, on the forge's own pages. */
  deployments: Can
  /** Merge requests from another repository. */
  forks: Can
  /** The repository may get another name or owner, and is the same one. */
  renaming: Can
  /** Trueup comes with credentials of its own, which can be taken away. */
  credentials: Can
}

/** FORGE_CANNOT with the forge's sentence, where it cannot. */
export function requireCan(can: Can, doing: string): void {
  if (can !== true) throw new TrueupError('FORGE_CANNOT', { doing, why: can })
}
