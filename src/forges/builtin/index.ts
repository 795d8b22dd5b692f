import type { Forge } from '../forge.ts'
import { putForgeGroups } from '../../store/forges/groups.ts'
import { requireCan } from '../capabilities.ts'
import { CAPABILITIES } from './capabilities.ts'
import { closeMergeRequest, editMergeRequest, endAsPointless, openMergeRequest, reopenMergeRequest } from './changes.ts'
import { addComment, resolveThread, upsertMarkedComment } from './comments.ts'
import { mergedWith, mergeMergeRequest, settleMerge } from './merging.ts'
import type { BuiltinParts } from './parts.ts'
import { reviewMergeRequest, withdrawReview } from '../rows/reviews.ts'

/** The forge that Trueup brings along: bare repositories, merge requests in the store. */
export function builtinForge(parts: BuiltinParts): Forge {
  return {
    name: 'builtin',
    can: CAPABILITIES,
    gated: true,
    changes: {
      open: (change) => openMergeRequest(parts, change),
      edit: (mrId, actorId, edit) => editMergeRequest(parts, mrId, actorId, edit),
      close: (mrId, actor, reason) => closeMergeRequest(parts, mrId, actor, reason),
      reopen: (mrId, actor) => reopenMergeRequest(parts, mrId, actor),
      endAsPointless: (mrId, reason) => endAsPointless(parts, mrId, reason),
      readAgain: async () => {},
    },
    reviews: {
      give: (review) => reviewMergeRequest(parts.store, review),
      withdraw: (mrId, userId) => withdrawReview(parts.store, mrId, userId),
    },
    comments: {
      add: (comment) => addComment(parts, comment),
      sign: async () => {
        requireCan(CAPABILITIES.commands, 'marking a command')
        return false
      },
      resolve: (thread) => resolveThread(parts, thread),
      upsert: (mrId, marker, body) => upsertMarkedComment(parts, mrId, marker, body),
    },
    statuses: {
      set: async (_mrId, _headOid, { name }) => requireCan(CAPABILITIES.statuses, `setting status "${name}"`),
    },
    deployments: {
      set: async (_mrId, _oid, { environment }) =>
        requireCan(CAPABILITIES.deployments, `showing the deployment in ${environment}`),
    },
    branches: {
      move: (repositoryId, branch, newOid, oldOid) =>
        parts.git.repository(repositoryId).updateRef(`refs/heads/${branch}`, newOid, oldOid),
    },
    groups: {
      async read(repositoryId, names) {
        const at = parts.store.clock.now()
        const none = { members: [], at, why: 'the repository is on no forge that has it' }
        const groups = Object.fromEntries(names.map((name) => [name, none]))
        await parts.store.transaction((tx) => putForgeGroups(tx, repositoryId, groups))
      },
    },
    look: async () => {},
    merging: {
      merge: (how) => mergeMergeRequest(parts, how),
      settle: (mrId) => settleMerge(parts, mrId),
      mergedWith: (repositoryId, commitOid) => mergedWith(parts, repositoryId, commitOid),
    },
  }
}
