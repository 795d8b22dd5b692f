import { NO_OID } from '../../git/repository.ts'
import { standingDrift } from '../../store/stacks/drift.ts'
import { listMergeRequests, type MergeRequest } from '../../store/changes/merge-requests.ts'
import { recordPusher } from '../../store/changes/refs.ts'
import { getRepository, type Repository } from '../../store/changes/repositories.ts'
import type { Run } from '../../store/runs/runs.ts'
import { requireStack, type Stack } from '../../store/stacks/stacks.ts'
import { openMergeRequests } from '../merge-requests/open.ts'
import { type EngineParts, repositoryOf, SYSTEM } from '../parts.ts'
import { syncRefs } from '../changes/ref-sync.ts'
import { specOfRun } from '../run-spec.ts'
import { systemUser } from '../system-user.ts'

interface StoredPatch {
  path: string
  content: string | null
  mode?: string
}

/** Branch of the codify MR of a stack: one at a time, brought up to date with every check. */
const codifyBranch = ({ environment, name, id }: Stack): string =>
  // The id's end, because `a` and `a/b` may both be stacks and cannot both be branches.
  `trueup-codify-${environment}-${name.replaceAll(/[^\w-]+/g, '-')}-${id.slice(-6)}`

/**
 * Opens (or brings up to date) the MR that writes reality into Git. Its commit stands on the deployed revision, so what
 * Git has gained since is merged and not overwritten. Merging it makes Git follow, healing makes reality follow: people
 * choose. Nothing where the driver has no patches to offer.
 */
export async function proposeCodify(parts: EngineParts, run: Run): Promise<void> {
  const patches = (run.result as { patches?: StoredPatch[] } | null)?.patches ?? []
  const repository = await getRepository(parts.store.db, run.repositoryId)
  if (patches.length === 0 || !repository) return
  const stack = await requireStack(parts.store.db, run.stackId)
  const title = `Codify drift of ${stack.environment}/${stack.name}`
  if (!(await putBranch(parts, repository, stack, { run, title, patches }))) return
  await syncRefs(parts, repository.id)
  if (await openCodify(parts, stack)) return
  if (specOfRun(run).codifyFor === undefined && (await isDeclined(parts, stack))) return
  const author = await systemUser(parts.store)
  const key = `${stack.environment}/${stack.name}`
  const forge = await parts.forges.of(repository.id)
  await forge.changes.open({
    repositoryId: repository.id,
    sourceBranch: codifyBranch(stack),
    targetBranch: repository.defaultBranch,
    title,
    description: `Reality has left what was deployed. Merge this to keep what is there, or close it and heal:\n\n    trueup drift heal ${key}\n`,
    authorId: author.id,
    origin: { kind: 'codify', detail: { stackId: stack.id, runId: run.id } },
  })
}

/** False when the branch holds nothing that the default branch lacks, or moved at this moment: the next check looks again. */
async function putBranch(
  parts: EngineParts,
  repository: Repository,
  stack: Stack,
  { run, title, patches }: { run: Run; title: string; patches: StoredPatch[] },
): Promise<boolean> {
  const git = repositoryOf(parts, repository.id)
  const target = await git.resolve(`refs/heads/${repository.defaultBranch}`)
  if (target === null) return false
  const author = await systemUser(parts.store)
  const commitOid = await git.commitFiles({
    parent: run.commitOid,
    message: `${title}\n\nWrites what a drift check found into Git.\n`,
    author: { name: author.name, email: author.email, at: run.createdAt },
    files: patches.map(({ path, content, mode }) => ({
      path,
      content: content === null ? null : Buffer.from(content, 'base64'),
      ...(mode !== undefined && { mode: mode as '100644' }),
    })),
  })
  const merged = await git.mergeTree(target, commitOid)
  if (merged.clean && merged.tree === (await git.commit(target)).tree) return false
  const ref = `refs/heads/${codifyBranch(stack)}`
  const existing = (await git.refs(ref)).get(ref) ?? NO_OID
  if (existing !== NO_OID && (await saysTheSame(parts, repository.id, existing, commitOid))) return true
  await parts.store.transaction((tx) => recordPusher(tx, repository.id, commitOid, author.id))
  const { branches } = await parts.forges.of(repository.id)
  return await branches.move(repository.id, codifyBranch(stack), commitOid, existing)
}

async function saysTheSame(parts: EngineParts, repositoryId: string, a: string, b: string): Promise<boolean> {
  const git = repositoryOf(parts, repositoryId)
  const [one, other] = [await git.commit(a), await git.commit(b)]
  return one.tree === other.tree && one.parents.join() === other.parents.join()
}

/** Whether somebody has closed an MR of this very content since the drift is there: asking again would not change their mind. */
async function isDeclined(parts: EngineParts, stack: Stack): Promise<boolean> {
  const { db } = parts.store
  const sourceBranch = codifyBranch(stack)
  const filter = { repositoryId: stack.repositoryId, sourceBranch }
  const [last] = (await listMergeRequests(db, filter, { limit: 1 })).items
  if (last?.state !== 'closed') return false
  const head = await repositoryOf(parts, stack.repositoryId).resolve(`refs/heads/${sourceBranch}`)
  return head === last.headOid && (await standingDrift(db, stack.id)).every((record) => record.since <= last.updatedAt)
}

async function openCodify(parts: EngineParts, stack: Stack): Promise<MergeRequest | null> {
  const filter = { repositoryId: stack.repositoryId, sourceBranch: codifyBranch(stack) }
  for await (const mr of openMergeRequests(parts.store.db, filter)) if (mr.origin === 'codify') return mr
  return null
}

/** Closes the codify MR of a stack whose drift is gone or accepted: there is nothing left to choose. */
export async function closeCodify(parts: EngineParts, stack: Stack): Promise<void> {
  const mr = await openCodify(parts, stack)
  if (!mr) return
  const forge = await parts.forges.of(stack.repositoryId)
  await forge.changes.close(mr.id, SYSTEM, 'the drift is gone')
}
