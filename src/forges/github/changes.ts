import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import type { RemoteApi, RemoteChange, RemotePerson } from '../remote/api.ts'
import { Anything, type GitHubClient, GHOST, PAGE, personOf, Time, User } from './client.ts'
import { coAuthorsOf } from './co-authors.ts'

const Branch = z.object({
  ref: z.string(),
  sha: z.string(),
  repo: z.object({ id: z.number().int(), full_name: z.string() }).nullable(),
})
const PullRequest = z.object({
  number: z.number().int(),
  node_id: z.string(),
  title: z.string(),
  body: z.string().nullable(),
  state: z.enum(['open', 'closed']),
  draft: z.boolean().optional(),
  user: User.nullable(),
  head: Branch,
  base: Branch,
  merged_at: Time.nullable(),
  /** Of an open one: what a merge of it would be. */
  merge_commit_sha: z.string().nullable(),
  /** Not in lists. */
  merged_by: User.nullish(),
})

type Changes = Pick<
  RemoteApi,
  'branches' | 'pusher' | 'openChanges' | 'change' | 'changeMergedAs' | 'create' | 'edit' | 'committers'
>

export function changesOf(client: GitHubClient): Changes {
  const one = async (number: number): Promise<string> => `${await client.at()}/pulls/${number}`
  const find = async (number: number) =>
    await client.find(await one(number), PullRequest, { doing: `reading pull request ${number}` })
  return {
    async branches() {
      const doing = 'reading the branches'
      const all = await client.pages(`${await client.at()}/branches?per_page=${PAGE}`, Named, { doing })
      return new Map(all.map(({ name, commit }) => [name, commit.sha]))
    },
    async openChanges() {
      const path = `${await client.at()}/pulls?state=open&sort=created&direction=asc&per_page=${PAGE}`
      return (await client.pages(path, PullRequest, { doing: 'reading the open pull requests' })).map(changeOf)
    },
    async change(number) {
      const found = await find(number)
      return found && changeOf(found)
    },
    async changeMergedAs(commitOid) {
      const doing = `asking which pull request was merged as ${commitOid.slice(0, 10)}`
      const path = `${await client.at()}/commits/${commitOid}/pulls?per_page=${PAGE}`
      // GitHub says 422 of a commit that it does not know.
      const found = (await client.find(path, z.array(PullRequest), { doing }).catch(unlessRefused)) ?? []
      const same = found.find((its) => its.merged_at !== null && its.merge_commit_sha === commitOid)
      // Who has merged it does not stand in a list.
      const whole = same ? await find(same.number) : null
      return whole && changeOf(whole)
    },
    async create({ sourceBranch, targetBranch, title, description, draft }) {
      const body = { head: sourceBranch, base: targetBranch, title, body: description, draft }
      const ask = { doing: `opening a pull request of "${sourceBranch}"`, method: 'POST', body } as const
      return changeOf(await client.ask(`${await client.at()}/pulls`, PullRequest, ask))
    },
    async edit(now, { title, draft = now.draft, description, state }) {
      const doing = `editing pull request ${now.number}`
      if (draft !== now.draft) await setDraft(now.number, draft, doing)
      const body = {
        ...(title !== undefined && { title }),
        ...(description !== undefined && { body: description }),
        ...(state && { state }),
      }
      return changeOf(await client.ask(await one(now.number), PullRequest, { doing, method: 'PATCH', body }))
    },
    async pusher(branch, headOid, source) {
      const ref = encodeURIComponent(`refs/heads/${branch}`)
      const at = source === undefined ? await client.at() : client.of(source)
      const doing = `asking who has pushed "${branch}"`
      const path = `${at}/activity?ref=${ref}&per_page=${PAGE}`
      const push = ((await client.find(path, z.array(Activity), { doing })) ?? []).find(
        ({ after }) => after === headOid,
      )
      return push?.actor ? personOf(push.actor) : null
    },
    async committers(number) {
      const doing = `reading the commits of pull request ${number}`
      const { base, head } = await client.ask(await one(number), PullRequest, { doing })
      // The list of a pull request ends after 250 commits, this one does not.
      const path = `${await client.at()}/compare/${base.sha}...${head.sha}?per_page=${PAGE}`
      const all: { oid: string; people: RemotePerson[] }[] = []
      for (let page = 1; ; page++) {
        if (page > MAX_COMMIT_PAGES)
          throw new TrueupError('TOO_LARGE', { doing, why: `it has more than ${MAX_COMMIT_PAGES * PAGE} commits` })
        const { commits, total_commits } = await client.ask(`${path}&page=${page}`, Comparison, { doing })
        for (const { sha, author, committer, commit } of commits)
          all.push({ oid: sha, people: [...[author, committer].flatMap(accountOf), ...coAuthorsOf(commit.message)] })
        if (commits.length === 0 || all.length >= total_commits) return all
      }
    },
  }

  /** REST can open a draft, and neither end nor begin one later. */
  async function setDraft(number: number, draft: boolean, doing: string): Promise<void> {
    const { node_id: id } = await client.ask(await one(number), PullRequest, { doing })
    const body = { query: draft ? TO_DRAFT : TO_READY, variables: { id } }
    const { errors } = await client.ask('/graphql', GraphQl, { doing, method: 'POST', body })
    if (errors) throw new TrueupError('FORGE_REFUSED', { doing, why: errors.map(({ message }) => message).join('; ') })
  }
}

const unlessRefused = (error: unknown): null => {
  if (error instanceof TrueupError && error.code === 'FORGE_REFUSED') return null
  throw error
}

const mutation = (name: string): string =>
  `mutation ($id: ID!) { ${name}(input: { pullRequestId: $id }) { clientMutationId } }`
const TO_DRAFT = mutation('convertPullRequestToDraft')
const TO_READY = mutation('markPullRequestReadyForReview')
const GraphQl = z.object({ data: Anything, errors: z.array(z.object({ message: z.string() })).optional() })

const Named = z.object({ name: z.string(), commit: z.object({ sha: z.string() }) })
const Activity = z.object({ after: z.string(), actor: User.nullable() })
/** An empty object where GitHub finds nobody. */
const Account = z.union([User, z.object({}).transform(() => null)]).nullable()
const Comparison = z.object({
  total_commits: z.number().int(),
  commits: z.array(
    z.object({ sha: z.string(), author: Account, committer: Account, commit: z.object({ message: z.string() }) }),
  ),
})
const accountOf = (user: z.infer<typeof Account>): RemotePerson[] => (user ? [personOf(user)] : [])
const MAX_COMMIT_PAGES = 100

function changeOf(pull: z.infer<typeof PullRequest>): RemoteChange {
  const isMerged = pull.merged_at !== null
  return {
    number: pull.number,
    title: pull.title,
    description: pull.body ?? '',
    draft: pull.draft ?? false,
    state: isMerged ? 'merged' : pull.state,
    sourceBranch: pull.head.ref,
    targetBranch: pull.base.ref,
    headOid: pull.head.sha,
    author: pull.user ? personOf(pull.user) : GHOST,
    // A fork that is gone is one all the same.
    isFork: pull.head.repo?.id !== pull.base.repo?.id,
    source: pull.head.repo?.full_name ?? null,
    mergeOid: isMerged ? pull.merge_commit_sha : null,
    mergedBy: pull.merged_by ? personOf(pull.merged_by) : null,
    mergedAt: pull.merged_at,
  }
}
