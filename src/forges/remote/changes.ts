import { inert } from '../../domain/render/markdown-text.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { Json } from '../../lib/json.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import {
  type MergeRequest,
  patchMergeRequest,
  requireMergeRequest,
  requireOpenMergeRequest,
} from '../../store/changes/merge-requests.ts'
import { getUser } from '../../store/people/users.ts'
import type { Changes, MrEdit, NewChange } from '../forge.ts'
import { openBeside, toOpen, toReopen } from '../rows/opening.ts'
import type { Adapter, RemoteChange } from './api.ts'
import type { Connect, Connected, RemoteParts } from './connected.ts'
import { readAgain } from './look.ts'
import { takeChange } from './take-change.ts'

/** Merge requests are opened, edited and closed there by Trueup's account; what came of it is taken over as any other. */
export function remoteChanges({ store }: RemoteParts, adapter: Adapter, connect: Connect): Changes {
  /** Does something to one there, and gives what the forge then says of it. */
  const change = async (
    mr: MergeRequest,
    doing: string,
    act: (here: Connected, now: RemoteChange) => Promise<RemoteChange>,
  ): Promise<MergeRequest> => {
    const here = await connect(mr.repositoryId)
    const now = await here.api.change(mr.number)
    if (!now) throw new TrueupError('FORGE_GONE', { doing, why: `${adapter.name} has no number ${mr.number} any more` })
    await takeChange(here, await act(here, now))
    return await requireMergeRequest(store.db, mr.id, doing)
  }
  return {
    open: async (wish) => await openThere(await connect(wish.repositoryId), wish),
    async edit(mrId, actorId, edit: MrEdit) {
      const doing = 'editing the merge request'
      if (edit.title?.trim() === '') throw new TrueupError('INVALID_REQUEST', { doing, why: 'the title is empty' })
      const mr = await requireOpenMergeRequest(store.db, mrId, doing)
      await note(mr, `user:${actorId}`, 'mr.edit_asked', { fields: Object.keys(edit) })
      return await change(mr, doing, ({ api }, now) => api.edit(now, edit))
    },
    async close(mrId, actor, reason) {
      const doing = 'closing the merge request'
      const mr = await requireOpenMergeRequest(store.db, mrId, doing)
      await note(mr, actor, 'mr.close_asked', { reason })
      return await change(mr, doing, ({ api }, now) =>
        now.state === 'open' ? api.edit(now, { state: 'closed' }) : Promise.resolve(now),
      )
    },
    async reopen(mrId, actor) {
      const doing = 'reopening the merge request'
      const mr = await requireMergeRequest(store.db, mrId, doing)
      const here = await connect(mr.repositoryId)
      await here.fetch()
      if (mr.state !== 'closed') throw new TrueupError('CONFLICT', { doing, why: `!${mr.number} is ${mr.state}` })
      await toReopen(here.git, mr)
      await note(mr, actor, 'mr.reopen_asked', {})
      return await change(mr, doing, ({ api }, now) => api.edit(now, { state: 'open' }))
    },
    // It may have been merged there in a way that Git does not show.
    async endAsPointless(mrId) {
      const { repositoryId } = await requireMergeRequest(store.db, mrId, 'looking at the merge request')
      await readAgain(connect, repositoryId, mrId)
    },
    async readAgain(mrId) {
      const { repositoryId } = await requireMergeRequest(store.db, mrId, 'looking at the merge request')
      await readAgain(connect, repositoryId, mrId)
    },
  }

  /** Who asked for it, which the forge cannot tell: there all of it is of one account. */
  async function note(mr: MergeRequest, actor: string, action: string, data: { [key: string]: Json }): Promise<void> {
    const { id: subject, repositoryId } = mr
    await store.transaction((tx) => appendAudit(tx, { actor, action, subject, repositoryId, data }))
  }
}

async function openThere(here: Connected, wish: NewChange): Promise<MergeRequest> {
  const { store, api, git, fetch } = here
  await fetch()
  const { title } = await toOpen(git, wish)
  const beside = await openBeside(store.db, wish)
  if (beside) return beside
  const { sourceBranch, targetBranch, draft = false } = wish
  const person = await getUser(store.db, wish.authorId)
  const description =
    `${wish.description}\n\n---\nOpened by Trueup for ${inert(person?.name ?? wish.authorId)}.`.trimStart()
  const made = await api
    .create({ sourceBranch, targetBranch, title, description, draft })
    .catch(async (refused: unknown) => {
      // The answer to an earlier try may have been lost.
      const open = await api.openChanges()
      const same = open.find((its) => its.sourceBranch === sourceBranch && its.targetBranch === targetBranch)
      if (same && !same.isFork) return same
      throw refused
    })
  const seen = await takeChange(here, made)
  if (!seen) {
    const doing = `opening a merge request of "${sourceBranch}"`
    throw new TrueupError('MR_MOVED', { doing, why: 'its branches have moved at this very moment' })
  }
  const { origin = null, authorId } = wish
  // The forge knows one author, Trueup: here it is the person who asked, also if a look was quicker than this answer.
  return await store.transaction((tx) =>
    patchMergeRequest(tx, seen.id, {
      authorId,
      ...(origin && { origin: origin.kind, originDetail: origin.detail as Json }),
    }),
  )
}
