import { createHash, createHmac, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Fault, withFaults } from '../faults.ts'
import { type GitThere, gitThere } from '../git-there.ts'
import { type Call, followBranches, Refusal, ROUTES } from './routes.ts'
import { type DoubleState, type DoubleUser, newState } from './state.ts'

/**
 * A Gitea in this process, with one repository `owner/shop`: it answers in the shapes and with the rules that its API is
 * described with, on real Git over HTTP, and falls ill on demand.
 */
export interface GiteaDouble {
  address: string
  state: DoubleState
  git: GitThere
  faults: Fault[]
  /** Every request to the API so far: `GET /repos/owner/shop`. */
  asked: string[]
  /** A delivery as its webhook would make it now. */
  delivery(hookId: number, event: string): { url: string; headers: { [name: string]: string }; body: string }
  close(): Promise<void>
}

export async function startGiteaDouble(): Promise<GiteaDouble> {
  const directory = await mkdtemp(join(tmpdir(), 'trueup-gitea-double-'))
  const git = await gitThere(join(directory, 'shop.git'))
  const state = newState()
  const faults: Fault[] = []
  const asked: string[] = []

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://gitea')
    const path = url.pathname.slice('/api/v1'.length)
    const token = /^token (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    const user = state.users.find((its) => its.token === token)
    if (!user) return send(response, 401, { message: 'invalid username, password or token' })
    const text = await bodyOf(request)
    if (path.startsWith('/repos/') && !`${path}/`.startsWith(`/repos/owner/${state.name}/`))
      return send(response, 404, { message: 'The target couldn’t be found.' })
    await followBranches({ state, git })
    for (const [pattern, work] of ROUTES) {
      const found = new RegExp(`^${pattern}$`).exec(`${request.method} ${decodeURIComponent(path)}`)
      if (!found) continue
      const body = text === '' ? {} : JSON.parse(text)
      const call: Call = { state, git, user, parts: found.slice(1), query: url.searchParams, body }
      const { status, body: answered } = await work(call)
      return paged(request, response, url, status, answered)
    }
    send(response, 404, { message: 'Not found' })
  }

  function paged(request: IncomingMessage, response: ServerResponse, url: URL, status: number, body: unknown): void {
    if (!Array.isArray(body) || url.pathname.endsWith('/comments'))
      return send(response, status, body, request, state.etags)
    const limit = Math.min(Number(url.searchParams.get('limit') ?? 30), state.pageSize)
    const page = Number(url.searchParams.get('page') ?? 1)
    response.setHeader('x-total-count', body.length)
    if (page * limit < body.length) {
      const next = new URL(url)
      next.searchParams.set('page', String(page + 1))
      // Named by the forge's own setting, which need not be how it is reached.
      response.setHeader('link', `<https://elsewhere.example.test${next.pathname}${next.search}>; rel="next"`)
    }
    send(response, status, body.slice((page - 1) * limit, page * limit), request, state.etags)
  }

  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    void withFaults(faults, request, response, async () => {
      if (!path.startsWith('/api/v1/')) return serveGit(request, response, path)
      asked.push(`${request.method} ${path.slice('/api/v1'.length)}`)
      await answer(request, response).catch((thrown: unknown) => {
        const status = thrown instanceof Refusal ? thrown.status : 500
        send(response, status, { message: thrown instanceof Error ? thrown.message : String(thrown) })
      })
    })
  })

  /** What the feed of activities says of a push. */
  async function noteMoved(user: DoubleUser, before: ReadonlyMap<string, string>): Promise<void> {
    git.forget()
    for (const [branch, sha] of await git.branches())
      if (before.get(branch) !== sha) state.pushes.push({ user, branch, sha })
  }

  function serveGit(request: IncomingMessage, response: ServerResponse, path: string): void {
    const [, name, rest] = /^\/owner\/([^/]+)\.git(\/.*)$/.exec(path) ?? []
    const basic = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString()
    const user = state.users.find(({ token }) => token === basic.replace(/^[^:]*:/, ''))
    const permission = user && state.permissions.get(user.login)
    if (!user || permission === undefined)
      return void response.writeHead(401, { 'www-authenticate': 'Basic realm="Gitea"' }).end()
    if (name !== state.name || rest === undefined) return void response.writeHead(404).end()
    if (/receive-pack/.test(rest) && permission === 'read') return void response.writeHead(403).end()
    const before = git.branches()
    git.serve(request, response, rest, user.login, async () => noteMoved(user, await before))
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    state,
    git,
    faults,
    asked,
    delivery(hookId, event) {
      const { config } = state.hooks.find(({ id }) => id === hookId)!
      const body = JSON.stringify({ repository: { clone_url: 'https://evil.example.test/x.git' }, action: event })
      const signature = createHmac('sha256', config.secret).update(body).digest('hex')
      const headers = { 'x-gitea-delivery': randomUUID(), 'x-gitea-event': event, 'x-gitea-signature': signature }
      return { url: config.url, headers: { ...headers, 'content-type': 'application/json' }, body }
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function send(
  response: ServerResponse,
  status: number,
  body?: unknown,
  request?: IncomingMessage,
  etags = false,
): void {
  const text = body === undefined ? '' : JSON.stringify(body)
  const etag = `"${createHash('sha256').update(text).digest('hex').slice(0, 16)}"`
  if (etags && request?.method === 'GET') {
    response.setHeader('etag', etag)
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304).end()
  }
  response.writeHead(status, { 'content-type': 'application/json' }).end(text)
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}
