import type * as Gitea from 'gitea-js'
import type { GitThere } from '../git-there.ts'
import type { PartOf } from '../part-of.ts'
import { commentJson, pullJson, REPOSITORY_ID, repositoryJson, reviewJson, userJson } from './answers.ts'
import { type DoublePull, type DoubleState, type DoubleUser, now } from './state.ts'

export interface Call {
  state: DoubleState
  git: GitThere
  user: DoubleUser
  /** Parts of the path that the route's pattern has caught. */
  parts: string[]
  query: URLSearchParams
  // oxlint-disable-next-line typescript/no-explicit-any -- bodies have every shape
  body: any
}

export class Refusal extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

type Route = [pattern: string, answer: (call: Call) => Promise<{ status: number; body?: unknown }>]

const ok = <Answer>(body: PartOf<Answer> | undefined, status = 200) => ({ status, body })
const missing = (): never => {
  throw new Refusal(404, 'The target couldn’t be found.')
}
const may = ({ state, user }: Call, ...permissions: string[]): void => {
  if (!permissions.includes(state.permissions.get(user.login) ?? 'none'))
    throw new Refusal(403, 'user should have a permission to write to a repo')
}
const mayWrite = (call: Call): void => may(call, 'write', 'admin', 'owner')
const pullOf = ({ state, parts }: Call): DoublePull =>
  state.pulls.find(({ number }) => number === Number(parts[0])) ?? missing()

/** Gitea follows the branches of open pull requests, and closes those whose branch is gone. */
export async function followBranches({ state, git }: Pick<Call, 'state' | 'git'>): Promise<void> {
  for (const pull of state.pulls) {
    if (pull.merged || (pull.isFork && (await git.tip(pull.head)) === null)) continue
    const tip = await git.tip(pull.head)
    if (tip !== null) pull.headSha = tip
    else if (pull.state === 'open') pull.state = 'closed'
  }
}

const R = '/repos/owner/[^/]+'
export const ROUTES: readonly Route[] = [
  ['GET /user', async ({ user }) => ok<Gitea.User>(userJson(user))],
  [`GET /repositories/${REPOSITORY_ID}`, async (call) => ok<Gitea.Repository>(await repositoryJson(call))],
  [
    'GET /orgs/([^/]+)/teams',
    async ({ state, parts }) => {
      const teams = [...state.groups.keys()].map((name, at) => ({ id: at + 1, name: name.split('/')[1]! }))
      return parts[0] === 'org' ? ok<Gitea.Team[]>(teams) : missing()
    },
  ],
  [
    'GET /teams/(\\d+)/members',
    async ({ state, parts }) => {
      const members = [...state.groups.values()][Number(parts[0]) - 1] ?? missing()
      return ok<Gitea.User[]>(state.users.filter(({ login }) => members.includes(login)).map(userJson))
    },
  ],
  [`GET ${R}`, async (call) => ok<Gitea.Repository>(await repositoryJson(call))],
  [
    `PATCH ${R}`,
    async (call) => {
      may(call, 'owner')
      call.state.name = call.body.name
      return ok<Gitea.Repository>(await repositoryJson(call))
    },
  ],
  [
    `PUT ${R}/collaborators/([^/]+)`,
    async (call) => {
      may(call, 'owner')
      call.state.permissions.set(call.parts[0]!, call.body.permission)
      return ok<never>(undefined, 204)
    },
  ],
  [
    `GET ${R}/collaborators/([^/]+)/permission`,
    async (call) => {
      const { state, parts } = call
      if (call.user.login !== parts[0]) may(call, 'admin', 'owner')
      const user = state.users.find(({ login }) => login === parts[0]) ?? missing()
      // Everybody reads what is public.
      const permission = state.permissions.get(user.login) ?? (state.isPrivate ? 'none' : 'read')
      return ok<Gitea.RepoCollaboratorPermission>({ permission, role_name: '', user: userJson(user) })
    },
  ],
  [
    `GET ${R}/collaborators/([^/]+)`,
    async ({ state, parts }) => (state.permissions.has(parts[0]!) ? ok<never>(undefined, 204) : missing()),
  ],
  [
    `GET ${R}/branches/(.+)`,
    async ({ git, parts }) =>
      ok<Gitea.Branch>({ name: parts[0]!, commit: { id: (await git.tip(parts[0]!)) ?? missing() } }),
  ],
  [
    `GET ${R}/branches`,
    async ({ git }) => ok<Gitea.Branch[]>([...(await git.branches())].map(([name, id]) => ({ name, commit: { id } }))),
  ],
  [
    `DELETE ${R}/branches/(.+)`,
    async ({ git, parts }) => {
      await git.move(parts[0]!, null)
      return ok<never>(undefined, 204)
    },
  ],
  [
    `GET ${R}/pulls`,
    async ({ state, git, query }) => {
      // As Gitea does of a repository that has no branch yet.
      if ((await git.branches()).size === 0) missing()
      const shown = state.pulls.filter((pull) => query.get('state') !== 'open' || pull.state === 'open')
      return ok<Gitea.PullRequest[]>(await Promise.all(shown.map((pull) => pullJson(pull, git))))
    },
  ],
  [
    `POST ${R}/pulls`,
    async (call) => {
      const { state, git, user, body } = call
      mayWrite(call)
      const same = state.pulls.find((its) => its.state === 'open' && its.head === body.head && its.base === body.base)
      if (same) throw new Refusal(409, `pull request already exists for these targets [number: ${same.number}]`)
      const headSha = (await git.tip(body.head)) ?? missing()
      const number = state.pulls.length + 1
      const branches = { head: body.head, base: body.base, headSha, isFork: false }
      const pull: DoublePull = {
        number,
        title: body.title,
        body: body.body ?? '',
        state: 'open',
        author: user,
        merged: null,
        looked: '',
        ...branches,
      }
      state.pulls.push(pull)
      return ok<Gitea.PullRequest>(await pullJson(pull, git), 201)
    },
  ],
  [`GET ${R}/pulls/(\\d+)`, async (call) => ok<Gitea.PullRequest>(await pullJson(pullOf(call), call.git))],
  [
    `PATCH ${R}/pulls/(\\d+)`,
    async (call) => {
      const pull = pullOf(call)
      mayWrite(call)
      const { title, body, state, base } = call.body
      if (state !== undefined && pull.merged)
        throw new Refusal(412, 'cannot change state of this pull request, it was already merged')
      Object.assign(
        pull,
        title !== undefined && { title },
        body !== undefined && { body },
        state !== undefined && { state },
        base !== undefined && { base },
      )
      return ok<Gitea.PullRequest>(await pullJson(pull, call.git), 201)
    },
  ],
  [
    `GET ${R}/pulls/(\\d+)/commits`,
    async (call) => {
      const { base, headSha } = pullOf(call)
      const log = await call.git.git('log', '--format=%H %an', `${await call.git.tip(base)}..${headSha}`)
      return ok<Gitea.Commit[]>(
        log.split('\n').flatMap((line) => {
          const [sha, name] = line.split(/ (.*)/)
          const user = call.state.users.find(({ login }) => login === name)
          return sha ? [{ sha, author: user ? userJson(user) : null, committer: user ? userJson(user) : null }] : []
        }),
      )
    },
  ],
  [`POST ${R}/pulls/(\\d+)/merge`, merge],
  [
    `GET ${R}/commits/([0-9a-f]+)/pull`,
    async ({ state, git, parts }) => {
      const pull = state.pulls.find(({ merged }) => merged?.sha === parts[0])
      return pull ? ok<Gitea.PullRequest>(await pullJson(pull, git)) : missing()
    },
  ],
  [
    `GET ${R}/pulls/(\\d+)/reviews`,
    async (call) =>
      ok<Gitea.PullReview[]>(call.state.reviews.filter(({ number }) => number === pullOf(call).number).map(reviewJson)),
  ],
  [
    `POST ${R}/pulls/(\\d+)/reviews`,
    async (call) => {
      const { state, user, body } = call
      const pull = pullOf(call)
      if (body.event !== 'COMMENT' && user === pull.author)
        throw new Refusal(422, 'approve your own pull is not allowed')
      const id = (state.lastId += 1)
      const said = { state: body.event, body: body.body ?? '', commit_id: body.commit_id || pull.headSha }
      const review = { id, number: pull.number, user, ...said, dismissed: false, submitted_at: now(state) }
      state.reviews.push(review)
      return ok<Gitea.PullReview>(reviewJson(review))
    },
  ],
  [
    `DELETE ${R}/pulls/(\\d+)/reviews/(\\d+)`,
    async ({ state, parts }) => {
      state.reviews = state.reviews.filter(({ id }) => id !== Number(parts[1]))
      return ok<never>(undefined, 204)
    },
  ],
  [
    `GET ${R}/issues/(\\d+)/comments`,
    async (call) =>
      ok<Gitea.Comment[]>(call.state.comments.filter(({ number }) => number === pullOf(call).number).map(commentJson)),
  ],
  [
    `POST ${R}/issues/(\\d+)/comments`,
    async (call) => {
      const { state, user, body } = call
      const at = now(state)
      const comment = {
        id: (state.lastId += 1),
        number: pullOf(call).number,
        user,
        body: body.body,
        reactions: new Set<string>(),
        created_at: at,
        updated_at: at,
      }
      state.comments.push(comment)
      return ok<Gitea.Comment>(commentJson(comment), 201)
    },
  ],
  [
    `GET ${R}/issues/comments`,
    async ({ state, query }) => {
      const since = Date.parse(query.get('since') ?? '1970-01-01T00:00:00Z')
      return ok<Gitea.Comment[]>(
        state.comments.filter(({ updated_at }) => Date.parse(updated_at) >= since).map(commentJson),
      )
    },
  ],
  [
    `POST ${R}/issues/comments/(\\d+)/reactions`,
    async ({ state, user, parts, body }) => {
      const { reactions } = state.comments.find(({ id }) => id === Number(parts[0])) ?? missing()
      const known = `${body.content} of ${user.login}`
      const status = reactions.has(known) ? 200 : 201
      reactions.add(known)
      return ok<Gitea.Reaction>({ user: userJson(user), content: body.content }, status)
    },
  ],
  [
    `DELETE ${R}/issues/comments/(\\d+)`,
    async ({ state, parts }) => {
      state.comments = state.comments.filter(({ id }) => id !== Number(parts[0]))
      return ok<never>(undefined, 204)
    },
  ],
  [
    `PATCH ${R}/issues/comments/(\\d+)`,
    async ({ state, parts, body }) => {
      const comment = state.comments.find(({ id }) => id === Number(parts[0])) ?? missing()
      Object.assign(comment, { body: body.body, updated_at: now(state) })
      return ok<Gitea.Comment>(commentJson(comment))
    },
  ],
  [
    `POST ${R}/statuses/([0-9a-f]+)`,
    async (call) => {
      mayWrite(call)
      const { context, state, description } = call.body
      call.state.statuses.push({ sha: call.parts[0]!, context, state, description })
      return ok<Gitea.CommitStatus>({ id: call.state.statuses.length, status: state, context, description }, 201)
    },
  ],
  [
    `GET ${R}/commits/([0-9a-f]+)/status`,
    async ({ state, parts }) => {
      const last = new Map(state.statuses.filter(({ sha }) => sha === parts[0]).map((its) => [its.context, its]))
      return ok<Gitea.CombinedStatus>({
        statuses: [...last.values()].map(({ state: status, ...its }) => ({ ...its, status })),
      })
    },
  ],
  [
    'GET /repos/[^/]+/[^/]+/activities/feeds',
    async ({ state }) =>
      ok<Gitea.Activity[]>(
        state.pushes.toReversed().map(({ user, branch, sha }, at) => ({
          id: at + 1,
          op_type: 'commit_repo',
          act_user: userJson(user),
          ref_name: `refs/heads/${branch}`,
          content: JSON.stringify({ Commits: [{ Sha1: sha }], HeadCommit: { Sha1: sha }, Len: 1 }),
        })),
      ),
  ],
  [
    `GET ${R}/hooks`,
    async (call) => {
      may(call, 'admin', 'owner')
      return ok<Gitea.Hook[]>(
        call.state.hooks.map(({ id, events, config }) => ({
          id,
          events,
          config: { url: config.url, content_type: 'json' },
        })),
      )
    },
  ],
  [
    `POST ${R}/hooks`,
    async (call) => {
      may(call, 'admin', 'owner')
      const hook = { id: (call.state.lastId += 1), config: call.body.config, events: call.body.events }
      call.state.hooks.push(hook)
      return ok<Gitea.Hook>(
        { id: hook.id, events: hook.events, config: { url: hook.config.url, content_type: 'json' } },
        201,
      )
    },
  ],
  [
    `DELETE ${R}/hooks/(\\d+)`,
    async ({ state, parts }) => {
      state.hooks = state.hooks.filter(({ id }) => id !== Number(parts[0]))
      return ok<never>(undefined, 204)
    },
  ],
]

async function merge(call: Call): Promise<{ status: number }> {
  const { git, body, user, state } = call
  const pull = pullOf(call)
  if (pull.merged) throw new Refusal(405, 'The PR is already merged')
  if (pull.state !== 'open') missing()
  if (!['write', 'admin', 'owner'].includes(state.permissions.get(user.login) ?? 'none'))
    throw new Refusal(405, 'User not allowed to merge PR')
  if (/^\s*WIP:/i.test(pull.title)) throw new Refusal(405, 'Work in progress PRs cannot be merged')
  // It looks in the background whether that can be merged, anew after each push to either branch.
  const looked = `${pull.headSha} ${await git.tip(pull.base)}`
  if (pull.looked !== looked) {
    pull.looked = looked
    throw new Refusal(405, 'Please try again later')
  }
  if (body.head_commit_id && body.head_commit_id !== pull.headSha) throw new Refusal(409, 'head out of date')
  const base = (await git.tip(pull.base)) ?? missing()
  const tree = await git.mergeTree(base, pull.headSha)
  if (tree === null) throw new Refusal(409, 'merge conflict')
  const parents = body.Do === 'squash' ? [base] : [base, pull.headSha]
  const message = `${body.MergeTitleField ?? pull.title}\n\n${body.MergeMessageField ?? ''}`
  const one = (): Promise<string> =>
    git.git('commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent]), '-m', message)
  const style = body.Do === 'rebase' ? git.rebase : body.Do === 'fast-forward-only' ? git.forward : one
  const sha = await style(base, pull.headSha)
  if (sha === null) throw new Refusal(409, 'merge conflict')
  await git.move(pull.base, sha, base)
  Object.assign(pull, { state: 'closed', merged: { sha, by: user, at: now(state) } })
  return { status: 200 }
}
