import { may, mayWrite, missing, nothing, ok, repositoryJson, type Route, userJson } from './call.ts'

const R = '/repos/{owner}/{repo}'

/** The repository: its branches, its people, who has pushed, states of commits, webhooks. */
export const REPOSITORY_ROUTES: readonly Route[] = [
  ['get /user', async ({ user }) => ok(userJson(user))],
  [
    'get /users/{username}',
    async ({ state, parts }) => ok(userJson(state.users.find(({ login }) => login === parts[0]) ?? missing())),
  ],
  [
    'get /orgs/{org}/teams/{team_slug}/members',
    async ({ state, parts }) => {
      const members = state.groups.get(parts.join('/')) ?? missing()
      return ok(state.users.filter(({ login }) => members.includes(login)).map(userJson))
    },
  ],
  [`get ${R}`, async (call) => ok(repositoryJson(call))],
  [
    `patch ${R}`,
    async (call) => {
      may(call, 'admin')
      call.state.earlier.push(call.state.name)
      call.state.name = call.body.name
      return ok(repositoryJson(call))
    },
  ],
  [
    `put ${R}/collaborators/{username}`,
    async (call) => {
      may(call, 'admin')
      const names: { [permission: string]: string } = { pull: 'read', push: 'write', admin: 'admin' }
      call.state.permissions.set(call.parts[0]!, names[call.body.permission] ?? 'none')
      return nothing
    },
  ],
  [
    `get ${R}/collaborators/{username}`,
    async ({ state, parts }) => (state.permissions.has(parts[0]!) ? nothing : missing()),
  ],
  [
    `get ${R}/collaborators/{username}/permission`,
    async ({ state, parts }) => {
      const user = state.users.find(({ login }) => login === parts[0]) ?? missing()
      // Everybody reads what is public.
      const permission = state.permissions.get(user.login) ?? (state.isPrivate ? 'none' : 'read')
      return ok({ permission, role_name: permission, user: userJson(user) })
    },
  ],
  [
    `get ${R}/branches`,
    async ({ git }) => ok([...(await git.branches())].map(([name, sha]) => ({ name, commit: { sha } }))),
  ],
  [
    `get ${R}/branches/{branch}`,
    async ({ git, parts }) => ok({ name: parts[0], commit: { sha: (await git.tip(parts[0]!)) ?? missing() } }),
  ],
  [
    `delete ${R}/git/refs/{ref}`,
    async (call) => {
      mayWrite(call)
      await call.git.move(call.parts[0]!.replace(/^heads\//, ''), null)
      return nothing
    },
  ],
  [
    `get ${R}/activity`,
    async ({ state, query }) =>
      ok(
        state.pushes
          .filter(({ branch }) => query.get('ref') === `refs/heads/${branch}`)
          .toReversed()
          .map(({ user, branch, sha }, at) => ({
            id: at + 1,
            before: '0'.repeat(40),
            after: sha,
            ref: `refs/heads/${branch}`,
            activity_type: 'push',
            actor: userJson(user),
          })),
      ),
  ],
  [
    `get ${R}/compare/{basehead}`,
    async ({ state, git, parts, query }) => {
      const [base, head] = parts[0]!.split('...')
      const log = await git.git('log', '--reverse', '--format=%H %an%x00%B%x01', `${base}..${head}`)
      const all = log.split('\u0001').flatMap((entry) => {
        const [, sha, name, message = ''] = /^\s*(\w{40}) (.*?)\0([^]*)$/.exec(entry) ?? []
        const user = state.users.find(({ login }) => login === name)
        const account = user ? userJson(user) : null
        return sha ? [{ sha, commit: { message }, author: account, committer: account }] : []
      })
      const size = Math.min(Number(query.get('per_page') ?? 30), state.pageSize)
      const from = (Number(query.get('page') ?? 1) - 1) * size
      return ok({
        status: 'ahead',
        total_commits: all.length,
        ahead_by: all.length,
        commits: all.slice(from, from + size),
      })
    },
  ],
  [
    `post ${R}/statuses/{sha}`,
    async (call) => {
      mayWrite(call)
      const { context, state, description } = call.body
      const sha = call.parts[0]!
      call.state.statuses.push({ sha, context, state, description })
      return ok({ context, state, description }, 201)
    },
  ],
  [
    `get ${R}/commits/{ref}/status`,
    async ({ state, parts }) => {
      const last = new Map(state.statuses.filter(({ sha }) => sha === parts[0]).map((its) => [its.context, its]))
      const statuses = [...last.values()].map(({ sha: _sha, ...its }) => its)
      return ok({ sha: parts[0], state: 'pending', total_count: statuses.length, statuses })
    },
  ],
  [
    `get ${R}/hooks`,
    async (call) => {
      may(call, 'admin')
      return ok(
        call.state.hooks.map(({ id, config: { url, content_type }, events }) => ({
          id,
          config: { url, content_type },
          events,
        })),
      )
    },
  ],
  [
    `post ${R}/hooks`,
    async (call) => {
      may(call, 'admin')
      const { config, events } = call.body
      const id = (call.state.lastId += 1)
      call.state.hooks.push({ id, config, events })
      return ok({ id, events, config: { url: config.url, content_type: config.content_type } }, 201)
    },
  ],
  [
    `delete ${R}/hooks/{hook_id}`,
    async ({ state, parts }) => {
      state.hooks = state.hooks.filter(({ id }) => id !== Number(parts[0]))
      return nothing
    },
  ],
]
