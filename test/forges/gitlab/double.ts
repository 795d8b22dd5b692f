import { randomUUID } from 'node:crypto'
import { type Asked, pageOf, send, serveDouble, type Served } from '../serve.ts'
import { type Call, Refusal } from './call.ts'
import { followBranches, ROUTES } from './routes.ts'
import { type DoubleState, newState } from './state.ts'

/**
 * A GitLab in this process, with one project `group/sub/shop`: it answers in the shapes and with the rules that its API is
 * documented with, on real Git over HTTP, and falls ill on demand.
 */
export interface GitLabDouble extends Served {
  state: DoubleState
  /** A delivery as its webhook would make it now. */
  delivery(hookId: number, event: string): { url: string; headers: { [name: string]: string }; body: string }
}

export async function startGitLabDouble(): Promise<GitLabDouble> {
  const state = newState()

  async function answer(asked: Asked): Promise<void> {
    const { request, url, text, git } = asked
    const user = state.users.find(({ token }) => token === request.headers['private-token'])
    if (!user) return send(asked, 401, { message: '401 Unauthorized' })
    await followBranches({ state, git })
    // By its id or by its path, which is one part of the address.
    const path = asked.path.replace(`/v4/projects/${encodeURIComponent(state.path)}`, '/v4/projects/9')
    for (const [pattern, work] of ROUTES) {
      const found = new RegExp(`^${pattern}$`).exec(`${request.method} ${decodeURIComponent(path)}`)
      if (!found) continue
      const body = text === '' ? {} : JSON.parse(text)
      const call: Call = { state, git, user, parts: found.slice(1), query: url.searchParams, body }
      const { status, body: answered } = await work(call)
      if (!Array.isArray(answered)) return send(asked, status, answered)
      const limit = Math.min(Number(url.searchParams.get('per_page') ?? 20), state.pageSize)
      return send(asked, status, pageOf(asked, answered, limit))
    }
    send(asked, 404, { error: '404 Not Found' })
  }

  const served = await serveDouble({
    api: '/api',
    repository: () => state.path,
    now: () => state.begun + state.seconds * 1000,
    answer: (asked) =>
      answer(asked).catch((thrown: unknown) => {
        if (thrown instanceof Refusal) return send(asked, thrown.status, thrown.body)
        send(asked, 500, { message: String(thrown) })
      }),
    gitUser(token) {
      const user = state.users.find((its) => its.token === token)
      const level = user && (state.levels.get(user.username) ?? 0)
      return user && level !== undefined ? { user, name: user.username, reads: level >= 20, writes: level >= 30 } : null
    },
    pushed: (author, branch, sha) => void state.pushes.push({ author, branch, sha }),
  })
  return {
    ...served,
    state,
    delivery(hookId, event) {
      const { url, token } = state.hooks.find(({ id }) => id === hookId)!
      const body = JSON.stringify({ object_kind: event, project: { git_http_url: 'https://evil.example.test/x.git' } })
      const headers = { 'x-gitlab-event': event, 'x-gitlab-token': token, 'idempotency-key': randomUUID() }
      return { url, headers: { ...headers, 'content-type': 'application/json' }, body }
    },
  }
}
