import { createHmac, randomUUID } from 'node:crypto'
import { type Asked, pageOf, send, serveDouble, type Served } from '../serve.ts'
import { type Call, followBranches, Refusal, ROUTES } from './routes.ts'
import { type DoubleState, newState } from './state.ts'

/**
 * A Gitea in this process, with one repository `owner/shop`: it answers in the shapes and with the rules that its API is
 * described with, on real Git over HTTP, and falls ill on demand.
 */
export interface GiteaDouble extends Served {
  state: DoubleState
  /** A delivery as its webhook would make it now. */
  delivery(hookId: number, event: string): { url: string; headers: { [name: string]: string }; body: string }
}

export async function startGiteaDouble(): Promise<GiteaDouble> {
  const state = newState()

  async function answer(asked: Asked): Promise<void> {
    const { request, url, path, text, git } = asked
    const token = /^token (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    const user = state.users.find((its) => its.token === token)
    if (!user) return send(asked, 401, { message: 'invalid username, password or token' })
    if (path.startsWith('/repos/') && !`${path}/`.startsWith(`/repos/owner/${state.name}/`))
      return send(asked, 404, { message: 'The target couldn’t be found.' })
    await followBranches({ state, git })
    for (const [pattern, work] of ROUTES) {
      const found = new RegExp(`^${pattern}$`).exec(`${request.method} ${decodeURIComponent(path)}`)
      if (!found) continue
      const body = text === '' ? {} : JSON.parse(text)
      const call: Call = { state, git, user, parts: found.slice(1), query: url.searchParams, body }
      const { status, body: answered } = await work(call)
      // Comments of one pull request come all at once.
      if (!Array.isArray(answered) || /\/\d+\/comments$/.test(path)) return send(asked, status, answered, state.etags)
      const limit = Math.min(Number(url.searchParams.get('limit') ?? 30), state.pageSize)
      return send(asked, status, pageOf(asked, answered, limit), state.etags)
    }
    send(asked, 404, { message: 'Not found' })
  }

  const served = await serveDouble({
    api: '/api/v1',
    repository: () => `owner/${state.name}`,
    now: () => state.begun + state.seconds * 1000,
    answer: (asked) =>
      answer(asked).catch((thrown: unknown) => {
        const status = thrown instanceof Refusal ? thrown.status : 500
        send(asked, status, { message: thrown instanceof Error ? thrown.message : String(thrown) })
      }),
    gitUser(token) {
      const user = state.users.find((its) => its.token === token)
      const permission = user && state.permissions.get(user.login)
      return user && permission !== undefined
        ? { user, name: user.login, reads: true, writes: permission !== 'read' }
        : null
    },
    pushed: (user, branch, sha) => void state.pushes.push({ user, branch, sha }),
  })
  return {
    ...served,
    state,
    delivery(hookId, event) {
      const { config } = state.hooks.find(({ id }) => id === hookId)!
      const body = JSON.stringify({ repository: { clone_url: 'https://evil.example.test/x.git' }, action: event })
      const signature = createHmac('sha256', config.secret).update(body).digest('hex')
      const headers = { 'x-gitea-delivery': randomUUID(), 'x-gitea-event': event, 'x-gitea-signature': signature }
      return { url: config.url, headers: { ...headers, 'content-type': 'application/json' }, body }
    },
  }
}
