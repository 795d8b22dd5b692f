import type { StackKey } from '../../domain/stacks/stack.ts'
import { EMPTY_TREE } from '../../git/repository.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { Deployment } from '../../store/stacks/deployments.ts'
import { getMergeRequest } from '../../store/changes/merge-requests.ts'
import { findStack, requireStack, type Stack } from '../../store/stacks/stacks.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'
import { type Affected, affectedStacks } from '../snapshot/affected.ts'
import { snapshotOf } from '../revisions/branch.ts'
import { beforeLanded } from '../revisions/before-merge.ts'
import { readableBehind } from '../revisions/readable.ts'

/** Stacks whose source a commit of the default branch changed, compared with the last before it that could be read. */
export async function changedBy(parts: EngineParts, repositoryId: string, commitOid: string): Promise<Set<StackKey>> {
  return new Set((await affectedBy(parts, repositoryId, commitOid)).map(({ key }) => key))
}

async function affectedBy(parts: EngineParts, repositoryId: string, commitOid: string): Promise<Affected[]> {
  const git = repositoryOf(parts, repositoryId)
  const parent = await beforeLanded(parts, repositoryId, commitOid)
  const readable = parent === null ? null : await readableBehind(parts, repositoryId, parent)
  const before = readable?.snapshot ?? (await parts.snapshots.of(repositoryId, git, EMPTY_TREE))
  return affectedStacks(before, await snapshotOf(parts, repositoryId, commitOid))
}

/** Stacks that a commit of the default branch took out of Git and that are not back: a revert of it brings them back. */
export async function stillRemoved(parts: EngineParts, repositoryId: string, commitOid: string): Promise<Stack[]> {
  const found: Stack[] = []
  for (const { key, how } of await affectedBy(parts, repositoryId, commitOid)) {
    const [environment = ''] = key.split('/', 1)
    const name = key.slice(environment.length + 1)
    const stack = how === 'removed' ? await findStack(parts.store.db, { repositoryId, environment, name }) : undefined
    if (stack?.desiredCommit === null) found.push(stack)
  }
  return found
}

/** The commit of the default branch that caused a deployment. CONFLICT where no commit did. */
export async function mergeBehind(parts: EngineParts, deployment: Deployment): Promise<string> {
  const { environment, name } = await requireStack(parts.store.db, deployment.stackId)
  const key = `${environment}/${name}`
  const refused = (why: string, next: string): TrueupError =>
    new TrueupError('CONFLICT', { doing: `rolling back deployment ${deployment.id} of ${key}`, why, next })
  switch (deployment.kind) {
    case 'heal':
      throw refused('it is a heal, which put back what Git said already', `Roll back the stack ${key} instead.`)
    case 'destroy': {
      // What is destroyed is described by the commit that made it, not by the one that removed it.
      const mr = deployment.mrId === null ? undefined : await getMergeRequest(parts.store.db, deployment.mrId)
      if (mr?.mergeOid) return mr.mergeOid
      throw refused('no merge request ordered this destruction', 'Put the stack back by an ordinary merge request.')
    }
    case 'deploy': {
      const { repositoryId, commitOid, mrId } = deployment
      if (mrId !== null || (await changedBy(parts, repositoryId, commitOid)).has(key)) return commitOid
      throw refused(
        'no commit caused it: an input or a variable of the stack had changed',
        'Change that back, or roll back the stack that gives the input.',
      )
    }
  }
}
