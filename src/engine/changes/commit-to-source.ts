import { isUtf8 } from 'node:buffer'
import { refusalsOf, symbolicRefusals } from '../../git/push-rules.ts'
import type { GitRepository, PathEntry, Person } from '../../git/repository.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { type MergeRequest, requireOpenMergeRequest } from '../../store/changes/merge-requests.ts'
import { getRepository } from '../../store/changes/repositories.ts'
import { getUser } from '../../store/people/users.ts'
import { type EngineParts, repositoryOf, userActor } from '../parts.ts'
import { recordPush } from './pushers.ts'
import { syncRefs } from './ref-sync.ts'

/** Bytes of one file that is read or written without a push. */
export const MAX_EDITED_BYTES = 1024 * 1024

export interface SourceEdit {
  mrId: string
  userId: string
  /** Head of the source branch that was looked at: the whole commit id or its first digits. */
  head: string
  message: string
  /** Whole files from the root of the repository; null removes one. */
  files: readonly { path: string; content: string | null }[]
}

/** The tip of the source branch, as Git has it at this moment. Errors: CONFLICT where the branch is gone. */
export async function sourceTip(parts: EngineParts, mr: MergeRequest, doing: string): Promise<string> {
  const tip = await repositoryOf(parts, mr.repositoryId).resolve(`refs/heads/${mr.sourceBranch}`)
  if (tip !== null) return tip
  const why = `branch "${mr.sourceBranch}" is gone`
  throw new TrueupError('CONFLICT', { doing, why, next: 'Push the branch again.' })
}

/**
 * Commits whole files to the source branch of an open merge request as a person would push them: the rules of a push, the
 * pusher on record before the branch moves, the branch moved by compare-and-swap, and the same follow-up. Gives the new
 * commit. Errors: CONFLICT, FORBIDDEN, INVALID_REQUEST, MR_MOVED, PATH_OUTSIDE, TOO_LARGE.
 */
export async function commitToSource(parts: EngineParts, edit: SourceEdit): Promise<string> {
  const mr = await requireOpenMergeRequest(parts.store.db, edit.mrId, 'committing to the merge request')
  const doing = `committing to "${mr.sourceBranch}"`
  const git = repositoryOf(parts, mr.repositoryId)
  const tip = await sourceTip(parts, mr, doing)
  assertHead(mr, tip, edit.head, doing)
  const paths = edit.files.map(({ path }) => path)
  if (new Set(paths).size < paths.length) throw invalid(doing, 'it names a file twice')
  const there = await entriesAt(git, tip, paths, doing)
  const files = edit.files.map(({ path, content }) => {
    const mode = there.get(path)?.mode === '100755' ? ('100755' as const) : ('100644' as const)
    if (content === null && !there.get(path)) throw invalid(doing, `there is no file ${JSON.stringify(path)} to remove`)
    return { path, content: content === null ? null : bytesOf(path, content, doing), mode }
  })
  const author = await authorOf(parts, edit.userId)
  const commit = await git.commitFiles({ parent: tip, message: edit.message, author, files })
  return await moveSource(parts, { mr, from: tip, to: commit, userId: edit.userId, doing })
}

/** Moves the source branch as a push of this person would. Errors: FORBIDDEN, INVALID_REQUEST, MR_MOVED. */
export async function moveSource(
  parts: EngineParts,
  { mr, from, to, userId, doing }: { mr: MergeRequest; from: string; to: string; userId: string; doing: string },
): Promise<string> {
  const git = repositoryOf(parts, mr.repositoryId)
  if ((await git.commit(from)).tree === (await git.commit(to)).tree) throw invalid(doing, 'it would change nothing')
  const update = { ref: `refs/heads/${mr.sourceBranch}`, oldOid: from, newOid: to }
  const refusals = [
    ...refusalsOf({ updates: [update], tooManyOptions: false }, await rulesOf(parts, mr.repositoryId)),
    ...(await symbolicRefusals(git.directory, [update])),
  ]
  const [refusal] = refusals
  if (refusal) {
    const next = 'Make the change on another branch, and open a merge request of it.'
    throw new TrueupError('FORBIDDEN', { doing, why: refusal.lines[1] ?? refusal.reason, next })
  }
  await recordPush(parts, { repositoryId: mr.repositoryId, userId }, [update])
  const { branches } = await parts.forges.of(mr.repositoryId)
  if (!(await branches.move(mr.repositoryId, mr.sourceBranch, to, from))) throw moved(mr, doing, from)
  await syncRefs(parts, mr.repositoryId, userActor(userId))
  return to
}

async function rulesOf(parts: EngineParts, repositoryId: string): Promise<Parameters<typeof refusalsOf>[1]> {
  const repository = await getRepository(parts.store.db, repositoryId)
  const defaultRef = `refs/heads/${await repositoryOf(parts, repositoryId).defaultBranch()}`
  const protectedRefs = [defaultRef, ...(repository ? [`refs/heads/${repository.defaultBranch}`] : [])]
  return { protectedRefs, defaultRef, mayBootstrap: false }
}

/** A commit that a person makes here carries their name, as their own git would write it. */
export async function authorOf(parts: EngineParts, userId: string): Promise<Person> {
  const user = await getUser(parts.store.db, userId)
  if (!user) throw new TrueupError('NOT_FOUND', { doing: 'naming the author', why: 'there is no such account' })
  return { name: user.name, email: user.email, at: parts.store.clock.now() }
}

/** Text of a regular file, null where there is none. Errors: INVALID_REQUEST (no text), TOO_LARGE, PATH_OUTSIDE. */
export async function textAt(git: GitRepository, commit: string, path: string, doing: string): Promise<string | null> {
  const bytes = await git.readFile(commit, path, MAX_EDITED_BYTES)
  if (bytes === null) return null
  if (isUtf8(bytes) && !bytes.includes(0)) return bytes.toString('utf8')
  throw invalid(doing, `${JSON.stringify(path)} is no text in UTF-8`, 'Change it in a clone, and push.')
}

export function assertHead(mr: MergeRequest, tip: string, head: string, doing: string): void {
  if (!tip.startsWith(head.toLowerCase())) throw moved(mr, doing, head)
}

function moved(mr: MergeRequest, doing: string, head: string): TrueupError {
  return new TrueupError('MR_MOVED', {
    doing,
    why: `"${mr.sourceBranch}" does not stand at ${head.slice(0, 10)} any more`,
    next: 'Look at what is there now, then do it again.',
  })
}

/** What stands at each path; refuses what is no plain file, and what stands below one, since either would go unasked. */
async function entriesAt(
  git: GitRepository,
  commit: string,
  paths: readonly string[],
  doing: string,
): Promise<Map<string, PathEntry | null>> {
  const above = paths.flatMap((path) => path.split('/').map((_, at, all) => all.slice(0, at).join('/')))
  const both = above.find((path) => paths.includes(path))
  if (both !== undefined) throw invalid(doing, `${JSON.stringify(both)} cannot be a file and a directory`)
  const there = await git.pathOids(commit, [...new Set([...paths, ...above.filter((path) => path !== '')])])
  for (const [path, entry] of there) {
    const wanted = paths.includes(path) ? /^100/ : /^040/
    if (entry && !wanted.test(entry.mode))
      throw invalid(doing, `${JSON.stringify(path)} is ${KINDS[entry.mode.slice(0, 3)]}`)
  }
  return there
}

const KINDS: { [mode: string]: string } = {
  '040': 'a directory',
  '100': 'a file',
  '120': 'a symbolic link',
  '160': 'a submodule',
}

function bytesOf(path: string, content: string, doing: string): Buffer {
  if (!content.isWellFormed()) throw invalid(doing, `the text of ${JSON.stringify(path)} is no valid Unicode`)
  const bytes = Buffer.from(content)
  if (bytes.length <= MAX_EDITED_BYTES) return bytes
  const why = `${JSON.stringify(path)} would have more than ${MAX_EDITED_BYTES} bytes`
  throw new TrueupError('TOO_LARGE', { doing, why, next: 'Push it with git.' })
}

const invalid = (doing: string, why: string, next?: string): TrueupError =>
  new TrueupError('INVALID_REQUEST', { doing, why, ...(next !== undefined && { next }) })
