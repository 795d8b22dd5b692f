import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import { listMergeRequests, type MergeRequest, requireMergeRequest } from '../../store/changes/merge-requests.ts'
import { patchRepository } from '../../store/changes/repositories.ts'
import { patchConnection } from '../../store/forges/connections.ts'
import type { RemoteChange } from './api.ts'
import { type Connect, type Connected, gitUrlOf } from './connected.ts'
import { noteForks } from './forks.ts'
import { hear } from './hear.ts'
import { followBranches } from './mirror.ts'
import { takeChange, takeLoss } from './take-change.ts'
import { takeTrials } from './trials.ts'
import { takeMakers, takeReviews } from './take-reviews.ts'

/** Open merge requests of one repository that are followed. */
const MAX_OPEN = 500

/** Reads again all that the forge says of a repository; how that went stands in its connection. Errors: FORGE_*. */
export async function look(connect: Connect, repositoryId: string): Promise<void> {
  const here = await connect(repositoryId)
  const { store, connection, api } = here
  try {
    await takeRepository(here)
    await followBranches(here)
    await takeChanges(here)
    await takeTrials(here)
    await hear(here)
    await note(null)
  } catch (thrown) {
    const error = asTrueupError(thrown, `looking at ${connection.path} on ${connection.address}`)
    await note(error)
    throw error
  }

  async function note(error: TrueupError | null): Promise<void> {
    const limits = api.limits()
    await store.transaction((tx) =>
      patchConnection(tx, connection.id, {
        ...(error === null && { lookedAt: store.clock.now() }),
        problem: error?.toJSON() ?? null,
        requestsLeft: limits?.left ?? null,
        requestsLimit: limits?.limit ?? null,
        requestsResetAt: limits?.resetAt ?? null,
      }),
    )
  }
}

/** It may have another name, another default branch, or a token that may less. */
async function takeRepository(here: Connected): Promise<void> {
  const { store, connection, repository, api, git, remote, fetch } = here
  const { path, defaultBranch, missing } = await api.repository()
  if (missing.length > 0)
    throw new TrueupError('FORGE_PERMISSION', {
      doing: `looking at ${path} on ${connection.address}`,
      why: `the account ${connection.botName} may not: ${missing.join(', ')}`,
      details: { missing },
    })
  if (path !== connection.path) {
    await store.transaction((tx) => patchConnection(tx, connection.id, { path }))
    remote.url = gitUrlOf(connection.address, path)
  }
  if (defaultBranch === repository.defaultBranch) return
  await fetch()
  await git.setDefaultBranch(defaultBranch)
  await store.transaction((tx) => patchRepository(tx, repository.id, { defaultBranch }))
}

async function takeChanges(here: Connected): Promise<void> {
  const { store, repository, api } = here
  // Pages move while they are read: the same one may stand on two of them.
  const open = new Map((await api.openChanges()).map((change) => [change.number, change]))
  await noteForks(here, open.values())
  const filter = { repositoryId: repository.id, states: ['open', 'merging'] as const }
  const { items } = await listMergeRequests(store.db, filter, { limit: MAX_OPEN })
  // First those that are over, in the order in which they were merged: another one may be open for their branches.
  const over: { mr: MergeRequest; change: RemoteChange | null }[] = []
  for (const mr of items) if (!open.has(mr.number)) over.push({ mr, change: await api.change(mr.number) })
  over.sort((a, b) => (a.change?.mergedAt ?? 0) - (b.change?.mergedAt ?? 0) || a.mr.number - b.mr.number)
  for (const { mr, change } of over) await (change ? takeChange(here, change) : takeLoss(here, mr))
  const met = new Set<string>()
  for (const change of [...open.values()].slice(0, MAX_OPEN)) {
    const mr = await takeChange(here, change)
    if (mr?.state === 'open') await takeTalk(here, mr, met)
  }
}

async function takeTalk(here: Connected, mr: MergeRequest, met: Set<string>): Promise<void> {
  const headOid = await here.git.resolve(`refs/heads/${mr.sourceBranch}`)
  if (headOid !== null && (await takeMakers(here, mr, headOid))) await takeReviews(here, mr, met)
}

/** One merge request, and its branches: before a decision about it. */
export async function readAgain(connect: Connect, repositoryId: string, mrId: string): Promise<void> {
  const here = await connect(repositoryId)
  const doing = 'reading the merge request again'
  const { number } = await requireMergeRequest(here.store.db, mrId, doing)
  await takeRepository(here)
  await here.fetch()
  const change = await here.api.change(number)
  if (!change) throw new TrueupError('FORGE_GONE', { doing, why: `the forge has no merge request ${number} any more` })
  const mr = await takeChange(here, change)
  if (mr?.state === 'open') await takeTalk(here, mr, new Set())
}
