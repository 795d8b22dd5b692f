import type { Forge } from '../forge.ts'
import { upsertMarkedComment } from './comments.ts'
import { closeMergeRequest } from './lifecycle.ts'
import { mergeMergeRequest } from './merge.ts'
import { openMergeRequest } from './open.ts'
import type { BuiltinParts } from './parts.ts'

/** The forge that Trueup brings along: bare repositories, merge requests in the store. */
export function builtinForge(parts: BuiltinParts): Forge {
  return {
    name: 'builtin',
    openChange: (change) => openMergeRequest(parts, change),
    upsertComment: (mrId, marker, body) => upsertMarkedComment(parts, mrId, marker, body),
    merge: (how) => mergeMergeRequest(parts, how),
    async close(mrId, actorId, reason) {
      await closeMergeRequest(parts, mrId, actorId === 'system' ? 'system' : `user:${actorId}`, reason)
    },
  }
}
