import { execFile, spawn } from 'node:child_process'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A bare repository as a forge has one, by the git command alone. */
export interface GitThere {
  directory: string
  git(...argv: string[]): Promise<string>
  /** Where branches stand, read once after each change of them. */
  branches(): Promise<Map<string, string>>
  tip(branch: string): Promise<string | null>
  /** Somebody has moved branches beside this. */
  forget(): void
  /** Compare-and-swap; null removes. */
  move(branch: string, to: string | null, from?: string): Promise<void>
  /** Tree of the merge, or null where it conflicts. */
  mergeTree(base: string, head: string): Promise<string | null>
  /** What a branch becomes by rebasing another one onto it, or by moving it there; null where that is not to be had. */
  rebase: (base: string, head: string) => Promise<string | null>
  forward: (base: string, head: string) => Promise<string | null>
  /** One request of git's smart HTTP; `path` is what follows the address of the repository. */
  serve(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    user: string,
    pushed: () => Promise<void>,
  ): void
}

const WHO = ['NAME', 'EMAIL'].flatMap((what) =>
  ['AUTHOR', 'COMMITTER'].map(
    (who) => [`GIT_${who}_${what}`, what === 'NAME' ? 'forge' : 'forge@example.test'] as const,
  ),
)

export async function gitThere(directory: string): Promise<GitThere> {
  const env = {
    PATH: process.env['PATH'],
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    ...Object.fromEntries(WHO),
  }
  await run('git', ['init', '-q', '--bare', '-b', 'main', directory], { env })
  const git = async (...argv: string[]): Promise<string> =>
    (await run('git', ['-C', directory, ...argv], { env, maxBuffer: 1 << 26 })).stdout.trim()
  await git('config', 'http.receivepack', 'true')
  let known: Promise<Map<string, string>> | null = null
  const branches = async (): Promise<Map<string, string>> => {
    known ??= git('for-each-ref', '--format=%(refname:lstrip=2) %(objectname)', 'refs/heads/').then(
      (text) => new Map(text.split('\n').flatMap((line) => (line === '' ? [] : [line.split(' ') as [string, string]]))),
    )
    return await known
  }
  return {
    directory,
    git,
    branches,
    tip: async (branch) => (await branches()).get(branch) ?? null,
    forget() {
      known = null
    },
    async move(branch, to, from) {
      const ref = `refs/heads/${branch}`
      await git('update-ref', ...(to === null ? ['-d', ref] : [ref, to, ...(from === undefined ? [] : [from])]))
      known = null
    },
    mergeTree: (base, head) => git('merge-tree', '--write-tree', base, head).catch(() => null),
    async rebase(base, head) {
      let tip = base
      for (const commit of (await git('rev-list', '--reverse', '--no-merges', `${base}..${head}`)).split('\n')) {
        // What it changes, on the new base: a merge of which its parent is the common ancestor.
        const made = (of: string, ...argv: string[]) => git('commit-tree', `${of}^{tree}`, ...argv, '-m', 'x')
        const parent = await made(`${commit}^`)
        const sides = [await made(tip, '-p', parent), await made(commit, '-p', parent)]
        const tree = await git('merge-tree', '--write-tree', ...sides).catch(() => null)
        if (tree === null) return null
        const [name, email, date, message] = (await git('show', '-s', '--format=%an%n%ae%n%aI%n%B', commit))
          .split(/^([^\n]*)\n([^\n]*)\n([^\n]*)\n/)
          .slice(1)
        const author = { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_AUTHOR_DATE: date }
        const argv = ['-C', directory, 'commit-tree', tree, '-p', tip, '-m', message!]
        tip = (await run('git', argv, { env: { ...env, ...author } })).stdout.trim()
      }
      return tip
    },
    forward: (base, head) =>
      git('merge-base', '--is-ancestor', base, head)
        .then(() => head)
        .catch(() => null),
    serve(request, response, path, user, pushed) {
      const url = new URL(path, 'http://git')
      const backend = spawn('git', ['http-backend'], {
        env: {
          ...env,
          GIT_PROJECT_ROOT: directory,
          GIT_HTTP_EXPORT_ALL: '1',
          PATH_INFO: url.pathname,
          QUERY_STRING: url.search.slice(1),
          REQUEST_METHOD: request.method,
          CONTENT_TYPE: request.headers['content-type'] ?? '',
          HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
          GIT_PROTOCOL: [request.headers['git-protocol'] ?? ''].flat()[0],
          REMOTE_USER: user,
        },
        stdio: ['pipe', 'pipe', 'ignore'],
      })
      request.pipe(backend.stdin)
      backend.stdin.on('error', () => {})
      const chunks: Buffer[] = []
      backend.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
      backend.once('close', () => {
        const noted = url.pathname === '/git-receive-pack' ? pushed() : Promise.resolve()
        const answer = Buffer.concat(chunks)
        const end = answer.indexOf('\r\n\r\n')
        const lines = answer.subarray(0, end).toString('latin1').split('\r\n')
        for (const line of lines) {
          const [name = '', value = ''] = line.split(/:\s*(.*)/)
          if (name.toLowerCase() === 'status') response.statusCode = Number(value.slice(0, 3))
          else if (name !== '') response.setHeader(name, value)
        }
        void noted.then(() => response.end(answer.subarray(end + 4)))
      })
    },
  }
}
