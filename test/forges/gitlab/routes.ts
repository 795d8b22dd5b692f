import { mrJson, projectJson, userJson } from './answers.ts'
import { type Call, may, missing, ok, P, Refusal, type Route } from './call.ts'
import { mergeRequestRoutes } from './mr-routes.ts'
import { type DoubleUser, headOf, now } from './state.ts'

/** GitLab follows the branches of open merge requests; one whose branch is gone can only be closed. */
export async function followBranches({ state, git }: Pick<Call, 'state' | 'git'>): Promise<void> {
  for (const mr of state.mrs) {
    if (mr.state !== 'opened' || (mr.isFork && (await git.tip(mr.source)) === null)) continue
    const tip = await git.tip(mr.source)
    if (tip === null) mr.state = 'closed'
    else if (tip !== headOf(mr)) mr.versions.push({ head_commit_sha: tip, created_at: now(state) })
  }
}

export const ROUTES: readonly Route[] = [
  ['GET /v4/user', async ({ user }) => ok(userJson(user))],
  ['GET /v4/personal_access_tokens/self', async ({ state }) => ok({ id: 1, active: true, scopes: state.scopes })],
  [`GET ${P}`, async ({ state, user }) => ok(projectJson(state, user))],
  [
    `PUT ${P}`,
    async (call) => {
      may(call, 40)
      const { path, merge_method } = call.body
      if (path !== undefined) call.state.path = call.state.path.replace(/[^/]+$/, path)
      if (merge_method !== undefined) call.state.settings.merge_method = merge_method
      return ok(projectJson(call.state, call.user))
    },
  ],
  [
    `PUT ${P}/members/(\\d+)`,
    async (call) => {
      may(call, 40)
      const member = call.state.users.find(({ id }) => id === Number(call.parts[0])) ?? missing()
      call.state.levels.set(member.username, call.body.access_level)
      return ok({ ...userJson(member), access_level: call.body.access_level })
    },
  ],
  [
    'GET /v4/groups/(.+)/members/all',
    async ({ state, parts }) => {
      const members = state.groups.get(parts[0]!) ?? missing('Group Not Found')
      const own = state.users.filter(({ username }) => members.includes(username))
      return ok(own.map((user) => ({ ...userJson(user), access_level: 30 })))
    },
  ],
  [
    `GET ${P}/members/all/(\\d+)`,
    async ({ state, parts }) => {
      const member = state.users.find(({ id }) => id === Number(parts[0]))
      const level = member && state.levels.get(member.username)
      return level === undefined ? missing() : ok({ ...userJson(member!), access_level: level })
    },
  ],
  [
    `GET ${P}/repository/branches`,
    async ({ git }) => ok([...(await git.branches())].map(([name, id]) => ({ name, commit: { id } }))),
  ],
  [
    `GET ${P}/repository/branches/(.+)`,
    async ({ git, parts }) => ok({ name: parts[0], commit: { id: (await git.tip(parts[0]!)) ?? missing() } }),
  ],
  [
    `DELETE ${P}/repository/branches/(.+)`,
    async ({ git, parts }) => {
      await git.move(parts[0]!, null)
      return ok(undefined, 204)
    },
  ],
  [
    `GET ${P}/repository/commits/([0-9a-f]+)/merge_requests`,
    async ({ state, parts }) => {
      const own = state.mrs.filter(
        (mr) => mr.merged && [mr.merged.mergeSha, mr.merged.squashSha, headOf(mr)].includes(parts[0]!),
      )
      return ok(own.map(mrJson))
    },
  ],
  [
    `GET /v4/projects/\\d+/events`,
    async ({ state, query }) =>
      ok(
        query.get('action') === 'pushed' && query.get('page') === '1'
          ? state.pushes.toReversed().map(({ author, branch, sha }, at) => ({
              id: at + 1,
              action_name: 'pushed to',
              author: userJson(author),
              push_data: { ref_type: 'branch', ref: branch, commit_to: sha, commit_count: 1 },
            }))
          : [],
      ),
  ],
  ['POST /graphql', committers],
  [
    `POST ${P}/statuses/([0-9a-f]+)`,
    async (call) => {
      may(call, 30)
      const { name, state: to, description, pipeline_id } = call.body
      const sha = call.parts[0]!
      if (pipeline_id !== undefined && !call.state.pipelines.some((its) => its.id === pipeline_id && its.sha === sha))
        missing('Not Found')
      const active = call.state.statuses.find(
        (its) => its.sha === sha && its.name === name && ['pending', 'running'].includes(its.status),
      )
      if (active?.status === to)
        throw new Refusal(400, {
          message: `Cannot transition status via :enqueue from :pending (Reason(s): Status cannot transition via "enqueue")`,
        })
      if (active) Object.assign(active, { status: to, description })
      else call.state.statuses.push({ id: (call.state.lastId += 1), sha, name, status: to, description, pipeline_id })
      return ok({ sha, name, status: to, description }, 201)
    },
  ],
  [
    `GET ${P}/repository/commits/([0-9a-f]+)/statuses`,
    async ({ state, parts }) => {
      const last = new Map(state.statuses.filter(({ sha }) => sha === parts[0]).map((its) => [its.name, its]))
      return ok([...last.values()])
    },
  ],
  [
    `GET ${P}/merge_trains`,
    async ({ state }) => {
      if (!state.settings.merge_trains_enabled) throw new Refusal(403, { message: '403 Forbidden' })
      const cars = state.pipelines.filter(({ ref }) => ref.endsWith('/train'))
      return ok(cars.map(({ iid, ...pipeline }) => ({ id: iid, merge_request: { iid }, pipeline, status: 'fresh' })))
    },
  ],
  [`GET ${P}/deployments`, async ({ state }) => ok(state.deployments.toReversed())],
  [
    `POST ${P}/deployments`,
    async (call) => {
      may(call, 30)
      const { environment: name, sha, status } = call.body
      const made = { id: (call.state.lastId += 1), sha, environment: { name }, status }
      call.state.deployments.push(made)
      return ok(made, 201)
    },
  ],
  [
    `PUT ${P}/deployments/(\\d+)`,
    async (call) => {
      may(call, 30)
      const deployment = call.state.deployments.find(({ id }) => id === Number(call.parts[0])) ?? missing()
      return ok(Object.assign(deployment, { status: call.body.status }))
    },
  ],
  [
    `GET ${P}/hooks`,
    async (call) => {
      may(call, 40)
      return ok(call.state.hooks.map(({ id, url }) => ({ id, url })))
    },
  ],
  [
    `POST ${P}/hooks`,
    async (call) => {
      may(call, 40)
      const hook = { id: (call.state.lastId += 1), url: call.body.url, token: call.body.token }
      call.state.hooks.push(hook)
      return ok({ id: hook.id, url: hook.url }, 201)
    },
  ],
  [
    `DELETE ${P}/hooks/(\\d+)`,
    async ({ state, parts }) => {
      state.hooks = state.hooks.filter(({ id }) => id !== Number(parts[0]))
      return ok(undefined, 204)
    },
  ],
  ...mergeRequestRoutes(),
]

/** The one query that REST has no answer to. */
async function committers({ state, git, body }: Call): Promise<{ status: number; body: unknown }> {
  const { fullPath, iid } = body.variables
  const mr = fullPath === state.path ? state.mrs.find((its) => its.iid === Number(iid)) : undefined
  if (!mr) return ok({ data: { project: null } })
  const log = await git.git('log', '--format=%H %an', `${await git.tip(mr.target)}..${headOf(mr)}`)
  const graph = ({ id, username }: DoubleUser) => ({ id: `gid://gitlab/User/${id}`, username })
  const nodes = log.split('\n').flatMap((line) => {
    const [sha, name] = line.split(/ (.*)/)
    const user = state.users.find(({ username }) => username === name)
    return sha ? [{ sha, author: user ? graph(user) : null }] : []
  })
  const people = [...new Map(nodes.flatMap(({ author }) => (author ? [[author.id, author]] : []))).values()]
  const pageOfAll = (all: readonly unknown[], after: string | null | undefined) => {
    const from = Number(after ?? 0)
    const to = Math.min(from + MOST_NODES, all.length)
    return {
      nodes: all.slice(from, to),
      pageInfo: { hasNextPage: to < all.length, endCursor: to === from ? null : String(to) },
    }
  }
  const { commits, committers: makers } = body.variables
  const mergeRequest = { commits: pageOfAll(nodes, commits), committers: pageOfAll(people, makers) }
  return ok({ data: { project: { mergeRequest } } })
}

/** The most that GitLab gives of a list at once. */
const MOST_NODES = 100
