import { createHmac, createPublicKey, randomUUID } from 'node:crypto'
import { jwtVerify } from 'jose'
import { type Asked, pageOf, send, serveDouble, type Served } from '../serve.ts'
import { type Call, Refusal, REPOSITORY_ID, type Route } from './call.ts'
import { DEPLOYMENT_ROUTES } from './deployment-routes.ts'
import { asDescribed } from './described.ts'
import { followBranches, graphQl, PULL_ROUTES } from './pull-routes.ts'
import { REPOSITORY_ROUTES } from './repository-routes.ts'
import { type DoubleState, type DoubleUser, newState } from './state.ts'
import { TALK_ROUTES } from './talk-routes.ts'

/**
 * A GitHub Enterprise Server in this process, with one repository `owner/shop`: it answers by GitHub's own description of its API,
 * which every answer is held against, with the rules of its documentation, on real Git over HTTP, and falls ill on demand.
 */
export interface GitHubDouble extends Served {
  state: DoubleState
  /** A delivery as its webhook would make it now. */
  delivery(hookId: number, event: string): { url: string; headers: { [name: string]: string }; body: string }
}

const INSTALLATION = 501
const APP_ROUTES: readonly Route[] = [
  ['get /app', async ({ state }) => ({ status: 200, body: { id: state.app!.id, slug: state.app!.slug } })],
  ['get /repos/{owner}/{repo}/installation', async () => ({ status: 200, body: { id: INSTALLATION } })],
  [
    'post /app/installations/{installation_id}/access_tokens',
    async ({ state }) => {
      const { tokens, permissions } = state.app!
      const token = `ghs_${tokens.length}`
      const expiresAt = Date.now() + 60 * 60_000
      tokens.push({ token, expires_at: expiresAt })
      return { status: 201, body: { token, expires_at: new Date(expiresAt).toISOString(), permissions } }
    },
  ],
]
/** The first part of a path that fits is meant; branches and refs have slashes. */
const patternOf = (operation: string): RegExp => {
  const [method = '', path = ''] = operation.split(' ')
  const its = path
    .replace('{owner}/{repo}', '(?:owner|outsider)/[^/]+')
    .replaceAll(/\{(branch|ref|basehead)\}$/g, '(.+)')
    .replaceAll(/\{\w+\}/g, '([^/]+)')
  return new RegExp(`^${method.toUpperCase()} ${its}$`)
}
const ROUTES = [...REPOSITORY_ROUTES, ...PULL_ROUTES, ...TALK_ROUTES, ...DEPLOYMENT_ROUTES].map(
  (route) => [patternOf(route[0]), ...route] as const,
)
const OF_APP = APP_ROUTES.map((route) => [patternOf(route[0]), ...route] as const)

export async function startGitHubDouble(): Promise<GitHubDouble> {
  const state = newState()

  /** Of an App, its account: with an installation's token it acts, with a JWT it only says who it is. */
  async function askerOf(token: string): Promise<{ user: DoubleUser; isJwt: boolean } | null> {
    const user = userOf(token)
    if (user) return { user, isJwt: false }
    if (!state.app || !token.startsWith('ey')) return null
    const { payload } = await jwtVerify(token, createPublicKey(state.app.publicKey), { algorithms: ['RS256'] })
    const isFine = payload.iss === String(state.app.id) && payload.exp! - payload.iat! <= 600
    return isFine ? { user: botOf()!, isJwt: true } : null
  }
  const botOf = () => state.users.find(({ login }) => login === `${state.app?.slug}[bot]`)
  function userOf(token: string): DoubleUser | undefined {
    const given = state.app?.tokens.at(-1)
    if (given?.token === token && given.expires_at > Date.now()) return botOf()
    return state.users.find((its) => its.token === token)
  }

  async function answer(asked: Asked): Promise<void> {
    const { request, response, url, text, git } = asked
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    const asker = await askerOf(token).catch(() => null)
    if (asked.path === '/v3/meta') {
      response.setHeader('x-github-enterprise-version', 'enterprise-server@3.19.0')
      return send(asked, 200, {})
    }
    if (!asker) return send(asked, 401, { message: 'Bad credentials' })
    response.setHeader('x-ratelimit-limit', '5000')
    response.setHeader('x-ratelimit-remaining', '4200')
    response.setHeader('x-ratelimit-reset', String(Math.floor(Date.now() / 1000) + 1800))
    await followBranches({ state, git })
    const body = text === '' ? {} : JSON.parse(text)
    const call = { state, git, user: asker.user, parts: [], query: url.searchParams, body }
    if (asked.path === '/graphql') return send(asked, 200, await graphQl(call))
    const path = decodeURIComponent(asked.path.replace(/^\/v3/, '')).replace(
      `/repositories/${REPOSITORY_ID}`,
      `/repos/owner/${state.name}`,
    )
    const old = state.earlier.find((name) => path.startsWith(`/repos/owner/${name}`))
    if (old !== undefined && old !== state.name)
      return response.setHeader('location', `/repositories/${REPOSITORY_ID}`) && send(asked, 301, { message: 'Moved' })
    const isOfFork = path === `/repos/outsider/${state.name}/activity`
    if (!isOfFork && path.startsWith('/repos/') && !`${path}/`.startsWith(`/repos/owner/${state.name}/`))
      throw new Refusal(404, 'Not Found')
    for (const [pattern, operation, work] of asker.isJwt ? OF_APP : ROUTES) {
      const found = pattern.exec(`${request.method} ${path}`)
      if (!found) continue
      const { status, body: said } = await work({ ...call, parts: found.slice(1) } satisfies Call)
      const whole = asDescribed(operation, status, said)
      if (!Array.isArray(whole)) return send(asked, status, whole, state.etags)
      const limit = Math.min(Number(url.searchParams.get('per_page') ?? 30), state.pageSize)
      return send(asked, status, pageOf(asked, whole, limit), state.etags)
    }
    throw new Refusal(404, 'Not Found')
  }

  const served = await serveDouble({
    api: '/api',
    repository: () => `owner/${state.name}`,
    now: () => state.begun + state.seconds * 1000,
    answer: (asked) =>
      answer(asked).catch((thrown: unknown) => {
        const status = thrown instanceof Refusal ? thrown.status : 500
        if (status === 403) asked.response.setHeader('x-accepted-github-permissions', 'contents=write')
        send(asked, status, { message: thrown instanceof Error ? thrown.message : String(thrown) })
      }),
    gitUser(token) {
      const user = userOf(token)
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
      const signature = `sha256=${createHmac('sha256', config.secret).update(body).digest('hex')}`
      const headers = { 'x-github-delivery': randomUUID(), 'x-github-event': event, 'x-hub-signature-256': signature }
      return { url: config.url, headers: { ...headers, 'content-type': 'application/json' }, body }
    },
  }
}
