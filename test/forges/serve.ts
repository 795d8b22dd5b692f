import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Fault, withFaults } from './faults.ts'
import { type GitThere, gitThere } from './git-there.ts'

/** What every double is: an API below a path, real Git over HTTP beside it, and faults on demand. */
export interface Served {
  address: string
  git: GitThere
  faults: Fault[]
  /** Every request to the API so far: `GET /repos/owner/shop`. */
  asked: string[]
  close(): Promise<void>
}

export interface Serving<User> {
  /** Path of the API, no slash at the end. */
  api: string
  /** `owner/shop`, as it is now. */
  repository(): string
  /** Milliseconds of its clock, by which every answer is dated: how quick this machine is says nothing there. */
  now(): number
  answer(asked: Asked): Promise<void>
  /** Who this token is of, and whether they may read and push. */
  gitUser(token: string): { user: User; name: string; reads: boolean; writes: boolean } | null
  pushed(user: User, branch: string, commit: string): void
}

export interface Asked {
  request: IncomingMessage
  response: ServerResponse
  url: URL
  /** Below the API, no query. */
  path: string
  text: string
  git: GitThere
}

export async function serveDouble<User>(its: Serving<User>): Promise<Served> {
  const directory = await mkdtemp(join(tmpdir(), 'trueup-forge-double-'))
  const git = await gitThere(join(directory, 'shop.git'))
  const faults: Fault[] = []
  const asked: string[] = []

  function serveGit(request: IncomingMessage, response: ServerResponse, path: string): void {
    const [, name, rest] = /^\/(.+)\.git(\/.*)$/.exec(path) ?? []
    const basic = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString()
    const found = its.gitUser(basic.replace(/^[^:]*:/, ''))
    if (!found?.reads) return void response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
    if (name !== its.repository() || rest === undefined) return void response.writeHead(404).end()
    if (/receive-pack/.test(rest) && !found.writes) return void response.writeHead(403).end()
    const before = git.branches()
    git.serve(request, response, rest, found.name, async () => {
      const known = await before
      git.forget()
      for (const [branch, commit] of await git.branches())
        if (known.get(branch) !== commit) its.pushed(found.user, branch, commit)
    })
  }

  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    void withFaults(faults, request, response, async () => {
      if (!path.startsWith(`${its.api}/`)) return serveGit(request, response, path)
      asked.push(`${request.method} ${path.slice(its.api.length)}`)
      response.setHeader('date', new Date(its.now()).toUTCString())
      const url = new URL(path, 'http://forge')
      let text = ''
      for await (const chunk of request) text += String(chunk)
      await its.answer({ request, response, url, path: url.pathname.slice(its.api.length), text, git })
    })
  })
  // A connection that is closed for idleness at the moment it is used again would look like a fault.
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    git,
    faults,
    asked,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** One page of a list; where there is more, the next stands in a link that names another host, as behind a proxy. */
export function pageOf({ response, url }: Asked, all: readonly unknown[], limit: number): readonly unknown[] {
  const page = Number(url.searchParams.get('page') ?? 1)
  response.setHeader('x-total-count', all.length)
  if (page * limit < all.length) {
    const next = new URL(url)
    next.searchParams.set('page', String(page + 1))
    response.setHeader('link', `<https://elsewhere.example.test${next.pathname}${next.search}>; rel="next"`)
  }
  return all.slice((page - 1) * limit, page * limit)
}

/** JSON, with an ETag where it is asked for. */
export function send(
  { request, response }: Pick<Asked, 'request' | 'response'>,
  status: number,
  body?: unknown,
  etags = false,
): void {
  const text = body === undefined ? '' : JSON.stringify(body)
  const etag = `"${createHash('sha256').update(text).digest('hex').slice(0, 16)}"`
  if (etags && request.method === 'GET') {
    response.setHeader('etag', etag)
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304).end()
  }
  response.writeHead(status, { 'content-type': 'application/json' }).end(text)
}
