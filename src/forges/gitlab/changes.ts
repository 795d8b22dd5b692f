import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import type { RemoteApi, RemoteChange, RemotePerson } from '../remote/api.ts'
import { type GitLabClient, PAGE, personOf, Time, User } from './client.ts'
import { quiet } from './quiet.ts'

const MergeRequest = z.object({
  iid: z.number().int(),
  title: z.string(),
  description: z.string().nullish(),
  /** `locked` while it is being merged. */
  state: z.enum(['opened', 'closed', 'merged', 'locked']),
  draft: z.boolean().optional(),
  source_branch: z.string(),
  target_branch: z.string(),
  source_project_id: z.number().int().nullable(),
  target_project_id: z.number().int(),
  /** Null for a moment after it was opened. */
  sha: z.string().nullable(),
  author: User,
  merge_commit_sha: z.string().nullish(),
  squash_commit_sha: z.string().nullish(),
  merge_user: User.nullish(),
  merged_at: Time.nullish(),
})

/** A draft is one by these words at the beginning of its title, any case. */
const PREFIX = /^\s*(?:\[draft\]|\(draft\)|draft:)\s*/i
const DRAFT = 'Draft: '

type Changes = Pick<
  RemoteApi,
  'branches' | 'pusher' | 'openChanges' | 'change' | 'changeMergedAs' | 'create' | 'edit' | 'committers'
>

export function changesOf(client: GitLabClient): Changes {
  const all = `${client.at}/merge_requests`
  const one = (number: number): string => `${all}/${number}`
  return {
    async branches() {
      const path = `${client.at}/repository/branches?per_page=${PAGE}`
      const branches = await client.pages(path, Branch, { doing: 'reading the branches' })
      return new Map(branches.map(({ name, commit }) => [name, commit.id]))
    },
    async openChanges() {
      const path = `${all}?state=opened&scope=all&order_by=created_at&sort=asc&per_page=${PAGE}`
      return (await client.pages(path, MergeRequest, { doing: 'reading the open merge requests' })).map(changeOf)
    },
    async change(number) {
      const found = await client.find(one(number), MergeRequest, { doing: `reading merge request ${number}` })
      return found && changeOf(found)
    },
    async changeMergedAs(commitOid) {
      const doing = `asking which merge request was merged as ${commitOid.slice(0, 10)}`
      const path = `${client.at}/repository/commits/${commitOid}/merge_requests`
      const found = (await client.find(path, z.array(MergeRequest), { doing })) ?? []
      return found.map(changeOf).find(({ mergeOid }) => mergeOid === commitOid) ?? null
    },
    async create({ sourceBranch, targetBranch, title, description, draft }) {
      const branches = { source_branch: sourceBranch, target_branch: targetBranch }
      const body = {
        ...branches,
        title: titled(title, draft),
        description: quiet(description),
        remove_source_branch: false,
      }
      const ask = { doing: `opening a merge request of "${sourceBranch}"`, method: 'POST', body } as const
      return changeOf(await client.ask(all, MergeRequest, ask))
    },
    async edit(now, { title = now.title, draft = now.draft, description, state }) {
      const body = {
        ...((title !== now.title || draft !== now.draft) && { title: titled(title, draft) }),
        ...(description !== undefined && { description: quiet(description) }),
        ...(state && { state_event: state === 'open' ? 'reopen' : 'close' }),
      }
      const ask = { doing: `editing merge request ${now.number}`, method: 'PUT', body } as const
      return changeOf(await client.ask(one(now.number), MergeRequest, ask))
    },
    async pusher(branch, headOid, source) {
      const at = source === undefined ? client.at : `/v4/projects/${encodeURIComponent(source)}`
      const path = `${at}/events?action=pushed&per_page=${PAGE}`
      for (let page = 1; page <= MAX_EVENT_PAGES; page++) {
        const ask = { doing: `asking who has pushed "${branch}"` }
        const events = (await client.find(`${path}&page=${page}`, z.array(PushEvent), ask)) ?? []
        const push = events.find(({ push_data: its }) => its?.ref === branch && its.commit_to === headOid)
        if (push) return personOf(push.author)
        if (events.length === 0) break
      }
      return null
    },
    async committers(number) {
      const { path_with_namespace: fullPath } = await client.project()
      const doing = `reading the commits of merge request ${number}`
      const found: { oid: string; people: RemotePerson[] }[] = []
      let after: { [name in 'commits' | 'committers']: string | null } = { commits: null, committers: null }
      for (let page = 0; ; page++) {
        if (page === MAX_COMMIT_PAGES)
          throw new TrueupError('TOO_LARGE', { doing, why: `it has more than ${MAX_COMMIT_PAGES * PAGE} commits` })
        const variables = { fullPath, iid: String(number), ...after }
        const ask = { doing, method: 'POST', body: { query: COMMITTERS, variables } } as const
        const { data } = await client.ask('/graphql', CommittersAnswer, ask)
        const { commits, committers } = data.project.mergeRequest
        for (const { sha, author } of commits.nodes)
          found.push({ oid: sha, people: author ? [graphPersonOf(author)] : [] })
        // Of them all: which commit is whose does not matter to a vote.
        const [first] = found
        if (first) first.people.push(...committers.nodes.map(graphPersonOf))
        if (!commits.pageInfo.hasNextPage && !committers.pageInfo.hasNextPage) return found
        // A cursor of a list that is through gives nothing more.
        after = {
          commits: commits.pageInfo.endCursor ?? after.commits,
          committers: committers.pageInfo.endCursor ?? after.committers,
        }
      }
    },
  }
}

const Branch = z.object({ name: z.string(), commit: z.object({ id: z.string() }) })
const PushEvent = z.object({
  author: User,
  push_data: z.object({ ref: z.string().nullable(), commit_to: z.string().nullable() }).nullish(),
})
/** A push is looked for in the newest of what has happened in a project. */
const MAX_EVENT_PAGES = 10
/** More commits than a merge request may have here. */
const MAX_COMMIT_PAGES = 100

/** REST gives names and addresses of commits, which anybody may type; only this gives the accounts that GitLab has found. */
const COMMITTERS = `query ($fullPath: ID!, $iid: String!, $commits: String, $committers: String) {
  project(fullPath: $fullPath) {
    mergeRequest(iid: $iid) {
      commits(first: 100, after: $commits) { nodes { sha author { id username } } pageInfo { hasNextPage endCursor } }
      committers(first: 100, after: $committers) { nodes { id username } pageInfo { hasNextPage endCursor } }
    }
  }
}`
/** `gid://gitlab/User/12` */
const GraphUser = z.object({ id: z.string().regex(/\/User\/\d+$/), username: z.string() })
const PageInfo = z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() })
const nodesOf = <Node extends z.ZodType>(node: Node) => z.object({ nodes: z.array(node), pageInfo: PageInfo })
const CommittersAnswer = z.object({
  data: z.object({
    project: z.object({
      mergeRequest: z.object({
        commits: nodesOf(z.object({ sha: z.string(), author: GraphUser.nullable() })),
        committers: nodesOf(GraphUser),
      }),
    }),
  }),
})
const graphPersonOf = ({ id, username }: z.infer<typeof GraphUser>) => ({
  id: id.slice(id.lastIndexOf('/') + 1),
  name: username,
})

const titled = (title: string, draft: boolean): string => {
  const plain = title.replace(PREFIX, '')
  return draft ? DRAFT + plain : plain
}

const STATES = { opened: 'open', closed: 'closed', merged: 'merged', locked: 'merging' } as const

/** What a merge is on the target branch: its merge commit, the squashed one where it was moved forward, or its head. */
function changeOf(its: z.infer<typeof MergeRequest>): RemoteChange {
  const draft = its.draft ?? PREFIX.test(its.title)
  const isMerged = its.state === 'merged'
  return {
    number: its.iid,
    title: draft ? its.title.replace(PREFIX, '') : its.title,
    description: its.description ?? '',
    draft,
    state: STATES[its.state],
    sourceBranch: its.source_branch,
    targetBranch: its.target_branch,
    headOid: its.sha ?? '',
    author: personOf(its.author),
    isFork: its.source_project_id !== its.target_project_id,
    source: its.source_project_id === null ? null : String(its.source_project_id),
    mergeOid: isMerged ? (its.merge_commit_sha ?? its.squash_commit_sha ?? its.sha) : null,
    mergedBy: its.merge_user ? personOf(its.merge_user) : null,
    mergedAt: its.merged_at ?? null,
  }
}
