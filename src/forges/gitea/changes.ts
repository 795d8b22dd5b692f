import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import type { RemoteApi, RemoteChange } from '../remote/api.ts'
import { type GiteaClient, personOf, Time, User } from './client.ts'

const Branch = z.object({
  label: z.string(),
  ref: z.string(),
  sha: z.string(),
  repo_id: z.number().int(),
  repo: z.object({ full_name: z.string() }).nullish(),
})
const PullRequest = z.object({
  number: z.number().int(),
  title: z.string(),
  body: z.string(),
  state: z.enum(['open', 'closed']),
  draft: z.boolean().optional(),
  user: User,
  head: Branch,
  base: Branch,
  merged: z.boolean(),
  merged_at: Time.nullish(),
  merge_commit_sha: z.string().nullish(),
  merged_by: User.nullish(),
})

/** A draft is one by these words at the beginning of its title, any case (`WORK_IN_PROGRESS_PREFIXES`). */
const PREFIX = /^\s*(?:WIP:|\[WIP\])\s*/i
const DRAFT = 'WIP: '
/** The most that a page may have, unless the server's own setting is lower. */
const PAGE = 50

type Changes = Pick<
  RemoteApi,
  'branches' | 'pusher' | 'openChanges' | 'change' | 'changeMergedAs' | 'create' | 'edit' | 'committers'
>

export function changesOf(client: GiteaClient): Changes {
  const one = async (number: number): Promise<string> => `${await client.at()}/pulls/${number}`
  return {
    async branches() {
      const doing = 'reading the branches'
      const all = await client.pages(`${await client.at()}/branches?limit=${PAGE}`, Named, { doing })
      return new Map(all.map(({ name, commit }) => [name, commit.id]))
    },
    async openChanges() {
      const path = `${await client.at()}/pulls?state=open&sort=oldest&limit=${PAGE}`
      try {
        return (await client.pages(path, PullRequest, { doing: 'reading the open pull requests' })).map(changeOf)
      } catch (error) {
        const isGone = error instanceof TrueupError && error.code === 'FORGE_GONE'
        if (isGone && (await client.repository()).empty) return []
        throw error
      }
    },
    async change(number) {
      const found = await client.find(await one(number), PullRequest, { doing: `reading pull request ${number}` })
      return found && changeOf(found)
    },
    async changeMergedAs(commitOid) {
      const doing = `asking which pull request was merged as ${commitOid.slice(0, 10)}`
      const found = await client.find(`${await client.at()}/commits/${commitOid}/pull`, PullRequest, { doing })
      return found && changeOf(found)
    },
    async create({ sourceBranch, targetBranch, title, description, draft }) {
      const body = { head: sourceBranch, base: targetBranch, title: titled(title, draft), body: description }
      const ask = { doing: `opening a pull request of "${sourceBranch}"`, method: 'POST', body } as const
      return changeOf(await client.ask(`${await client.at()}/pulls`, PullRequest, ask))
    },
    async edit(now, { title = now.title, draft = now.draft, description, state }) {
      const body = {
        ...((title !== now.title || draft !== now.draft) && { title: titled(title, draft) }),
        ...(description !== undefined && { body: description }),
        ...(state && { state }),
      }
      const ask = { doing: `editing pull request ${now.number}`, method: 'PATCH', body } as const
      return changeOf(await client.ask(await one(now.number), PullRequest, ask))
    },
    async pusher(branch, headOid, source) {
      const path = `${source === undefined ? await client.at() : client.of(source)}/activities/feeds?limit=${PAGE}`
      for (let page = 1; page <= MAX_FEED_PAGES; page++) {
        const ask = { doing: `asking who has pushed "${branch}"` }
        const feed = (await client.find(`${path}&page=${page}`, z.array(Activity), ask)) ?? []
        const push = feed.find((its) => isPushOf(its, branch, headOid))
        if (push) return personOf(push.act_user)
        if (feed.length === 0) break
      }
      return null
    },
    async committers(number) {
      const path = `${await one(number)}/commits?limit=${PAGE}&verification=false&files=false`
      const commits = await client.pages(path, Commit, { doing: `reading the commits of pull request ${number}` })
      return commits.map(({ sha, author, committer }) => ({
        oid: sha,
        people: [author, committer].flatMap((user) => (user && user.id > 0 ? [personOf(user)] : [])),
      }))
    },
  }
}

const Activity = z.object({ op_type: z.string(), act_user: User, ref_name: z.string(), content: z.string() })
const Pushed = z.object({ HeadCommit: z.object({ Sha1: z.string() }).nullable() })
/** A push is looked for in the newest of what has happened in a repository. */
const MAX_FEED_PAGES = 10

/** What is told of a push is JSON within JSON, with the names that Go gives. */
function isPushOf({ op_type, ref_name, content }: z.infer<typeof Activity>, branch: string, headOid: string): boolean {
  if (op_type !== 'commit_repo' || ref_name.replace(/^refs\/heads\//, '') !== branch) return false
  try {
    return Pushed.safeParse(JSON.parse(content)).data?.HeadCommit?.Sha1 === headOid
  } catch {
    return false
  }
}

const Named = z.object({ name: z.string(), commit: z.object({ id: z.string() }) })
const Commit = z.object({ sha: z.string(), author: User.nullish(), committer: User.nullish() })

const titled = (title: string, draft: boolean): string => {
  const plain = title.replace(PREFIX, '')
  return draft ? DRAFT + plain : plain
}

function changeOf(pull: z.infer<typeof PullRequest>): RemoteChange {
  const draft = pull.draft ?? PREFIX.test(pull.title)
  return {
    number: pull.number,
    title: draft ? pull.title.replace(PREFIX, '') : pull.title,
    description: pull.body,
    draft,
    state: pull.merged ? 'merged' : pull.state,
    // Once the branch is gone `ref` is where Gitea keeps its commits.
    sourceBranch: pull.head.ref.startsWith('refs/pull/') ? pull.head.label : pull.head.ref,
    targetBranch: pull.base.ref,
    headOid: pull.head.sha,
    author: personOf(pull.user),
    isFork: pull.head.repo_id !== pull.base.repo_id,
    source: pull.head.repo?.full_name ?? null,
    mergeOid: pull.merged ? (pull.merge_commit_sha ?? null) : null,
    mergedBy: pull.merged_by ? personOf(pull.merged_by) : null,
    mergedAt: pull.merged_at ?? null,
  }
}
