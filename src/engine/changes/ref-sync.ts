import { asTrueupError } from '../../lib/errors/error.ts'
import { NO_OID } from '../../git/repository.ts'
import { askedFileOf, listPushes, readAsked, readPush, type PushRecord } from '../../git/push-file.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { deleteRef, listRefs, setRef } from '../../store/changes/refs.ts'
import { getRepository } from '../../store/changes/repositories.ts'
import { enqueueTask } from '../../store/runs/tasks.ts'
import { rm } from 'node:fs/promises'
import { type Actor, type EngineParts, repositoryOf, SYSTEM, userActor } from '../parts.ts'
import { orderDeployment } from '../run-tasks.ts'
import { damageOf, missingBranch } from '../unusable/examine.ts'
import { unusableError } from '../unusable/unusable.ts'

const BRANCHES = 'refs/heads/'

/**
 * Compares the branches of the Git repository with those last seen and orders what follows from each that moved. The
 * Git repository is the truth: a push whose notice was lost is found by the next call.
 */
export async function syncRefs(parts: EngineParts, repositoryId: string, actor: Actor = SYSTEM): Promise<string[]> {
  if (parts.unusable.why(repositoryId) !== null) await lookAgain(parts, repositoryId)
  const actual = await repositoryOf(parts, repositoryId).refs(BRANCHES)
  return await parts.store.transaction(async (tx) => {
    const repository = await getRepository(tx, repositoryId)
    if (!repository) return []
    const seen = new Map((await listRefs(tx, repositoryId)).map((ref) => [ref.name, ref.oid]))
    // Nobody can push the default branch away: where it is gone the repository is damaged, and nothing follows from that.
    const target = BRANCHES + repository.defaultBranch
    const last = seen.get(target)
    if (last !== undefined && !actual.has(target)) {
      const why = missingBranch(repository.defaultBranch, last)
      parts.unusable.setAside(repositoryId, why)
      throw unusableError(`reading the branches of "${repository.name}"`, why)
    }
    const moved: string[] = []
    for (const name of new Set([...actual.keys(), ...seen.keys()])) {
      const [from, to] = [seen.get(name) ?? null, actual.get(name) ?? null]
      if (from === to) continue
      moved.push(name)
      if (to === null) await deleteRef(tx, repositoryId, name)
      else await setRef(tx, repositoryId, name, to)
      const data = { ref: name, from: from ?? NO_OID, to: to ?? NO_OID }
      await appendAudit(tx, { actor, action: 'ref.update', subject: repositoryId, repositoryId, data })
      const branch = name.slice(BRANCHES.length)
      await enqueueTask(tx, {
        kind: 'branch.moved',
        key: `${repositoryId}:${branch}`,
        payload: { repositoryId, branch },
      })
      if (branch === repository.defaultBranch) await orderDeployment(tx, repositoryId)
    }
    return moved
  })
}

async function lookAgain(parts: EngineParts, repositoryId: string): Promise<void> {
  const repository = await getRepository(parts.store.db, repositoryId)
  if (!repository) return
  const why = await damageOf(parts.store, parts.git.repository(repositoryId), repository)
  if (why !== null) throw unusableError(`reading the branches of "${repository.name}"`, why)
  parts.unusable.takeBack(repositoryId)
}

/**
 * What follows from a push: one that Git has accepted (`pushed`), or one of which only the refs can tell whether it came
 * about. Never throws for what the push holds.
 */
export async function afterPush(
  parts: EngineParts,
  {
    repositoryId,
    userId,
    pushFile,
    pushed,
  }: { repositoryId: string; userId: string; pushFile: string; pushed: boolean },
): Promise<void> {
  const push = pushed ? await orWarn(parts, pushFile, readPush) : null
  await syncRefs(parts, repositoryId, userActor(userId))
  if (push) await openFromPush(parts, push)
  else await openAsAsked(parts, askedFileOf(pushFile))
  for (const file of [pushFile, askedFileOf(pushFile)]) await rm(file, { force: true })
}

/** Opens what a push asked for that was cut off, where its refs stand as it wanted them. */
async function openAsAsked(parts: EngineParts, file: string): Promise<void> {
  const push = await orWarn(parts, file, readAsked)
  if (!push) return
  const actual = await repositoryOf(parts, push.repositoryId).refs(BRANCHES)
  const updates = push.updates.filter(({ ref, newOid }) => actual.get(ref) === newOid)
  await openFromPush(parts, { ...push, updates })
}

/** A record that cannot be read must not keep the branches from being looked at. */
async function orWarn(
  parts: EngineParts,
  file: string,
  read: (file: string) => Promise<PushRecord | null>,
): Promise<PushRecord | null> {
  return await read(file).catch((error: unknown) => {
    parts.log.warn({ err: error, file }, 'a push notice cannot be read and is put aside')
    return null
  })
}

/** At start-up: every repository is compared, and the notices of pushes that a killed server left are read. */
export async function recoverPushes(
  parts: EngineParts,
  repositoryIds: readonly string[],
  spool: string,
): Promise<void> {
  for (const repositoryId of repositoryIds) await syncRefs(parts, repositoryId)
  const { made, asked } = await listPushes(spool)
  // The notice stays for when the repository is whole again.
  const waits = (push: PushRecord): boolean => parts.unusable.why(push.repositoryId) !== null
  for (const pushFile of made) {
    const push = await orWarn(parts, pushFile, readPush)
    if (push && waits(push)) continue
    if (push) await afterPush(parts, { ...push, pushFile, pushed: true })
    else await rm(pushFile, { force: true })
  }
  for (const file of asked) {
    const push = await orWarn(parts, file, readAsked)
    if (push && waits(push)) continue
    if (push) await openAsAsked(parts, file)
    await rm(file, { force: true })
  }
}

/**
 * Looks again at every repository that is set aside: one that was mended meanwhile is served from now on, and what was
 * pushed to it before is followed up.
 */
export async function serveMended(parts: EngineParts, spool: string): Promise<void> {
  for (const repositoryId of parts.unusable.all()) {
    try {
      await recoverPushes(parts, [repositoryId], spool)
      parts.log.info({ repositoryId }, 'a repository that was damaged is whole again and served')
    } catch (thrown) {
      if (asTrueupError(thrown, 'looking at a damaged repository').code !== 'REPOSITORY_UNUSABLE') throw thrown
    }
  }
}

/** The options by which a push asks for a merge request. */
const ASKING = ['mr', 'merge_request.create', 'mr.title', 'mr.target', 'mr.draft']

/** Whether a push with these options asks for a merge request. */
export const asksForMergeRequest = (options: readonly string[]): boolean =>
  options.some((option) => ASKING.includes(splitOption(option)[0]))

/** `git push -o mr`, `-o mr.title=…`, `-o mr.target=…`, `-o mr.draft`: opens an MR of every pushed branch. */
async function openFromPush(parts: EngineParts, push: PushRecord): Promise<void> {
  const options = new Map(push.options.map((option) => splitOption(option)))
  const wanted = asksForMergeRequest(push.options)
  const repository = await getRepository(parts.store.db, push.repositoryId)
  if (!wanted || !repository) return
  const targetBranch = options.get('mr.target') || repository.defaultBranch
  const { changes } = await parts.forges.of(repository.id)
  for (const { ref, newOid } of push.updates) {
    const sourceBranch = ref.startsWith(BRANCHES) ? ref.slice(BRANCHES.length) : ''
    if (sourceBranch === '' || sourceBranch === targetBranch || newOid === NO_OID) continue
    const [subject, ...body] = (await repositoryOf(parts, push.repositoryId).commit(newOid)).message.split('\n')
    const change = {
      repositoryId: push.repositoryId,
      sourceBranch,
      targetBranch,
      title: (options.get('mr.title') || subject || sourceBranch).slice(0, 250),
      description: body.join('\n').trim().slice(0, 50_000),
      authorId: push.userId,
      draft: options.has('mr.draft'),
    }
    await changes
      .open(change)
      .catch((error: unknown) =>
        parts.log.warn({ err: error, sourceBranch }, 'a merge request asked for by a push is not opened'),
      )
  }
}

function splitOption(option: string): [string, string] {
  const at = option.indexOf('=')
  return at === -1 ? [option, ''] : [option.slice(0, at), option.slice(at + 1)]
}
