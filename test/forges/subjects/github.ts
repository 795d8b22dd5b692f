import { execFileSync } from 'node:child_process'
import { type GitHubDouble, startGitHubDouble } from '../github/double.ts'
import { type Account, type Answer, askApi, type Place } from '../place.ts'
import type { Person } from '../subject.ts'
import { type ConnectedSubject, type ConnectedWorld, connectedWorld } from './connected.ts'

/** A repository on a server of GitHub, real or a double. */
export async function githubWorld(place: Place): Promise<ConnectedWorld> {
  const { address, accounts } = place
  const ask = ({ token }: Account, method: string, path: string, body?: object, fine: number[] = []): Promise<Answer> =>
    askApi(`${address}/api/v3${path}`, { authorization: `Bearer ${token}` }, { method, body, fine, forbidden: 422 })
  let path = `/repos/${place.path}`
  const one = (number: number): string => `${path}/pulls/${number}`

  return await connectedWorld({
    forge: 'github',
    place,
    path: () => path.slice('/repos/'.length),
    tip: async (branch) =>
      (await ask(accounts.author, 'GET', `${path}/branches/${branch}`, undefined, [404]))?.commit?.sha ?? null,
    removeBranch: (branch) => ask(accounts.author, 'DELETE', `${path}/git/refs/heads/${branch}`),
    async comments(number) {
      const all: Answer[] = await ask(accounts.author, 'GET', `${path}/issues/${number}/comments?per_page=100`)
      return all.map(({ body, user }) => ({ body, by: String(user.id) }))
    },
    async opened(number) {
      const { user, body } = await ask(accounts.author, 'GET', one(number))
      return { by: String(user.id), body }
    },
    async statuses(oid) {
      const { statuses } = await ask(accounts.author, 'GET', `${path}/commits/${oid}/status`)
      return (statuses as Answer[]).map(({ context, state, description }) => ({ name: context, state, description }))
    },
    async deployments(oid) {
      const all: Answer[] = await ask(accounts.author, 'GET', `${path}/deployments?sha=${oid}`)
      return await Promise.all(
        all.toReversed().map(async ({ id, environment }) => {
          const [last] = await ask(accounts.author, 'GET', `${path}/deployments/${id}/statuses`)
          return { environment, state: last.state }
        }),
      )
    },
    async merge(who, number, sha, merge_method = 'merge') {
      for (let looks = 0; looks < 100; looks++) if ((await ask(who, 'GET', one(number))).mergeable !== null) break
      await ask(who, 'PUT', `${one(number)}/merge`, { merge_method, ...(sha && { sha }) })
    },
    async rename(name) {
      await ask(accounts.owner, 'PATCH', path, { name })
      path = path.replace(/[^/]+$/, name)
    },
    allow: (write) =>
      ask(accounts.owner, 'PUT', `${path}/collaborators/${accounts.bot.name}`, {
        permission: write ? 'admin' : 'pull',
      }),
    as: personOf,
  })

  function personOf(who: Account): Person {
    const edit = async (number: number, body: object): Promise<void> =>
      void (await ask(who, 'PATCH', one(number), body))
    const draft = async (number: number, to: boolean): Promise<void> => {
      const { node_id: id } = await ask(who, 'GET', one(number))
      const name = to ? 'convertPullRequestToDraft' : 'markPullRequestReadyForReview'
      const query = `mutation ($id: ID!) { ${name}(input: { pullRequestId: $id }) { clientMutationId } }`
      const body = { query, variables: { id } }
      await askApi(
        `${address}/api/graphql`,
        { authorization: `Bearer ${who.token}` },
        { method: 'POST', body, forbidden: 422 },
      )
    }
    return {
      async open({ sourceBranch, title, description = '', draft: isDraft = false }) {
        const body = { head: sourceBranch, base: 'main', title, body: description, draft: isDraft }
        return (await ask(who, 'POST', `${path}/pulls`, body)).number
      },
      async edit(number, { title, description, draft: to }) {
        if (to !== undefined) await draft(number, to)
        await edit(number, {
          ...(title !== undefined && { title }),
          ...(description !== undefined && { body: description }),
        })
      },
      close: (number) => edit(number, { state: 'closed' }),
      reopen: (number) => edit(number, { state: 'open' }),
      async review(number, verdict, body) {
        const event = { approve: 'APPROVE', request_changes: 'REQUEST_CHANGES', comment: 'COMMENT' }[verdict]
        await ask(who, 'POST', `${one(number)}/reviews`, { event, body })
      },
      async withdraw(number) {
        const all: Answer[] = await ask(who, 'GET', `${one(number)}/reviews`)
        const own = all.filter(({ user, state }) => String(user.id) === who.id && state === 'APPROVED')
        for (const { id } of own) await ask(who, 'PUT', `${one(number)}/reviews/${id}/dismissals`, { message: 'No.' })
      },
      comment: async (number, body) => void (await ask(who, 'POST', `${path}/issues/${number}/comments`, { body })),
    }
  }
}

/** Where its accounts are, of a double. */
export const placeOfGitHub = ({ address, state, git }: GitHubDouble): Place => {
  const outsider = state.users.find(({ login }) => login === 'outsider')!
  return {
    address,
    near: {
      url: `file://${git.directory}`,
      async forked(branch, sha) {
        git.forget()
        await git.move(branch, null)
        state.pushes.push({ user: outsider, branch, sha })
        const pull = state.pulls.find((its) => its.isFork && its.head === branch)
        state.forks.set(branch, sha)
        if (!pull) return
        pull.headSha = sha
        await git.git('update-ref', `refs/pull/${pull.number}/head`, sha)
      },
      opened(branch, title) {
        const number = state.pulls.length + 1
        const headSha = state.forks.get(branch)!
        const heads = { head: branch, base: 'main', headSha, isFork: true }
        const pull = { number, title, body: '', state: 'open' as const, draft: false, merged: null, looked: '' }
        state.pulls.push({ ...pull, ...heads, user: outsider })
        execFileSync('git', ['-C', git.directory, 'update-ref', `refs/pull/${number}/head`, headSha])
        return number
      },
      pushed(branch, sha) {
        git.forget()
        state.pushes.push({ user: state.users.find(({ login }) => login === 'author')!, branch, sha })
      },
    },
    path: `owner/${state.name}`,
    accounts: Object.fromEntries(
      state.users.map(({ id, login, token }) => [
        login === 'trueup-bot' ? 'bot' : login,
        { id: String(id), name: login, token },
      ]),
    ) as Place['accounts'],
  }
}

let running: { world: ConnectedWorld; double: GitHubDouble } | undefined

export const githubDoubleSubject: ConnectedSubject = {
  name: 'github',
  against: 'a double of GitHub Enterprise Server 3.19',
  async open() {
    const double = await startGitHubDouble()
    running = { double, world: await githubWorld(placeOfGitHub(double)) }
    return running.world
  },
  async close() {
    await running?.world.stop()
    await running?.double.close()
  },
}
