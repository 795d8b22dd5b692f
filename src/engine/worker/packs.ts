import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { stackKey } from '../../domain/stacks/stack.ts'
import type { GitRepository } from '../../git/repository.ts'
import { treeView } from '../../git/tree-view.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { listRuns } from '../../store/runs/runs.ts'
import { getStack, type Stack } from '../../store/stacks/stacks.ts'
import { getWorker, isInScope } from '../../store/workers/workers.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'
import type { RunSpec } from '../run-spec.ts'
import { CONFIG_FILE } from '../snapshot/snapshot.ts'

/** Packs kept on the disk; the ones that nobody asked for longest go first. They can be made again. */
const KEPT_PACKS = 2_000
const LONGEST_LINEAGE = 10_000

/** What a worker asks for; `have`: the commit of which it holds the stack already. */
export interface PackWish {
  stackId: string
  commit: string
  have?: string
}

/**
 * The file of a Git pack that holds exactly what says how a stack should be at a commit: the commit, its configuration, the
 * trees on the way and the files that the stack is built from; of the commit that was merged into it only the trees on that
 * way, which tell whether it holds the same files. Beside a commit that the worker has, only what that lacks (where it is not known here, all).
 * Made once, never changed. NOT_FOUND where the worker has no business with it.
 */
export async function packFile(parts: EngineParts, workerId: string, wish: PackWish): Promise<string> {
  const { stackId, commit, have } = wish
  const stack = await stackFor(parts, workerId, stackId, commit)
  const file = join(parts.packs, `${stackId}-${commit}${have === undefined ? '' : `-${have}`}.pack`)
  return await parts.turns.take(`pack:${file}`, async () => {
    const now = new Date()
    const known = await utimes(file, now, now).then(
      () => true,
      () => false,
    )
    if (known) return file
    await mkdir(parts.packs, { recursive: true, mode: 0o700 })
    await dropOldest(parts.packs)
    const repository = repositoryOf(parts, stack.repositoryId)
    const paths = await builtFrom(parts, stack, commit)
    if (!paths) throw notFound(stackId, commit, 'the commit has no such stack')
    const base = have === undefined ? null : await baseOf(parts, stack, have)
    const more = await mergedWay(repository, commit, paths)
    await repository.packTree(commit, paths, file, { more, ...(base && { base }) })
    return file
  })
}

/** Paths of what says how a stack should be at a commit; null where the commit has no such stack. */
async function builtFrom(parts: EngineParts, stack: Stack, commit: string): Promise<string[] | null> {
  const repository = repositoryOf(parts, stack.repositoryId)
  const { tree } = await repository.commit(commit)
  const snapshot = await parts.snapshots.of(stack.repositoryId, repository, tree)
  const source = snapshot.stacks.get(stackKey(stack.environment, stack.name))
  return source ? [CONFIG_FILE, ...source.interests] : null
}

/** What a worker has that holds the stack at a commit; null where that says nothing here. */
async function baseOf(
  parts: EngineParts,
  stack: Stack,
  commit: string,
): Promise<{ commit: string; paths: string[] } | null> {
  if ((await repositoryOf(parts, stack.repositoryId).resolve(commit)) !== commit) return null
  const paths = await builtFrom(parts, stack, commit)
  return paths && { commit, paths }
}

/** The commit that was merged and its trees on the way to these paths; nothing where the commit is no merge. */
async function mergedWay(repository: GitRepository, commit: string, paths: readonly string[]): Promise<string[]> {
  const [, merged] = (await repository.commit(commit)).parents
  if (merged === undefined) return []
  const { tree } = await repository.commit(merged)
  const view = treeView(repository, tree)
  const oids = new Set([merged, tree])
  for (const path of paths) {
    const components = path.split('/')
    for (let length = 1; length < components.length; length++) {
      const entry = await view.entry(components.slice(0, length).join('/'))
      if (entry?.type !== 'tree') break
      oids.add(entry.oid)
    }
  }
  return [...oids]
}

/**
 * The commits after `from` up to `to` by their first parents, as a pack: an agent sees by them that `to` comes after what it
 * has. COMMIT_OLDER where it does not.
 */
export async function lineagePack(
  parts: EngineParts,
  workerId: string,
  stackId: string,
  { from, to }: { from: string; to: string },
): Promise<Buffer> {
  const stack = await stackFor(parts, workerId, stackId, to)
  const repository = repositoryOf(parts, stack.repositoryId)
  const doing = `showing that ${to} comes after ${from}`
  const known = await repository.resolve(from)
  const commits = known === null ? [] : await repository.log({ from, to, firstParent: true, limit: LONGEST_LINEAGE })
  if (commits.at(-1)?.parents[0] === from) return await repository.packObjects(commits.map(({ oid }) => oid))
  throw new TrueupError('COMMIT_OLDER', { doing, why: 'it does not come after it on the same branch' })
}

/** A stack of the worker's, at a commit that a run of it was ordered for, or that is deployed. */
async function stackFor(parts: EngineParts, workerId: string, stackId: string, commit: string): Promise<Stack> {
  const { db } = parts.store
  const [worker, stack] = [await getWorker(db, workerId), await getStack(db, stackId)]
  const own = stack && worker && isInScope(worker, stack)
  const deployed = stack?.deployedConfig as unknown as RunSpec | null
  if (own && stack.deployedCommit === commit && deployed && worker.pools.includes(deployed.definition.pool))
    return stack
  const { items } = own ? await listRuns(db, { stackId, commitOid: commit }, { limit: 20 }) : { items: [] }
  if (own && items.some(({ pool }) => worker.pools.includes(pool))) return stack
  throw notFound(stackId, commit, 'this worker has no run of it at that commit')
}

const notFound = (stackId: string, commit: string, why: string): TrueupError =>
  new TrueupError('NOT_FOUND', { doing: `packing stack ${stackId} at ${commit}`, why })

async function dropOldest(directory: string): Promise<void> {
  const names = await readdir(directory)
  if (names.length < KEPT_PACKS) return
  const aged = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(directory, name)).catch(() => null))?.mtimeMs ?? 0 })),
  )
  const oldest = aged.toSorted((a, b) => a.at - b.at).slice(0, names.length - KEPT_PACKS / 2)
  for (const { name } of oldest) await rm(join(directory, name), { force: true })
}
