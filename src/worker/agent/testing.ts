import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { TrueupError } from '../../lib/errors/error.ts'
import { silentLogger } from '../../lib/log.ts'
import type { HttpClient } from '../connection/http.ts'
import type { Grant } from '../protocol.ts'
import type { Source } from '../runs/source.ts'
import { type AgentSettings, readAgentConfig } from './config.ts'
import { agentWay } from './source.ts'

export const STACK = { id: 'stk_1', repository: 'shop', environment: 'production', name: 'web', path: 'web' }
export const TRAILERS = 'Trueup-Repository: shop\nTrueup-Branch: main\n'

/** A repository that real git works in, keys, and a server's end that gives whatever a test puts there. */
export interface SignedWorld {
  directory: string
  key(name: string): string
  /** Commits files; signed by the key where one is named. `message` goes before the trailers. */
  commit(
    files: { [path: string]: string },
    how: { key?: string | null; message?: string; date?: string; parents?: string[]; author?: string },
  ): string
  git(...argv: string[]): string
  pack(input: string[]): Buffer
  /** What the server answers with for a commit, or for `COMMIT?have=HAVE`; by default an honest pack. */
  packs: Map<string, Buffer>
  /** Paths that were asked for. */
  asked: string[]
  /** A pack of what one commit has and another lacks, as differences to that. */
  thin(commit: string, have: string, without?: string): Buffer
  open(repository: object): Promise<Source>
  grant(commit: string, more?: Partial<Grant>): Grant
  /** Fetches into a new directory; answers with the grant and a reader of its files, or the error's code. */
  fetch(source: Source, grant: Grant): Promise<{ grant: Grant; read: (path: string) => string } | string>
  close(): Promise<void>
}

export function signedWorld(): SignedWorld {
  const directory = mkdtempSync(join(tmpdir(), 'trueup-signed-'))
  const repository = join(directory, 'repository')
  const sources: Source[] = []
  const packs = new Map<string, Buffer>()
  const asked: string[] = []
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: directory,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.org',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.org',
    GNUPGHOME: join(directory, 'gpg'),
  }
  const run = (argv: string[], options: { input?: string; more?: object } = {}): Buffer =>
    execFileSync('git', argv, {
      cwd: repository,
      env: { ...env, ...options.more },
      ...(options.input !== undefined && { input: options.input }),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
  const git = (...argv: string[]): string => run(argv).toString().trim()
  const pack = (oids: string[]): Buffer => run(['pack-objects', '-q', '--stdout'], { input: `${oids.join('\n')}\n` })
  mkdirSync(repository)
  git('init', '-q', '-b', 'main')

  const honest = (commit: string): Buffer => {
    const oids = git('rev-list', '--objects', `${commit}^{tree}`).split('\n')
    return pack([commit, ...git('log', '--no-walk', '--format=%P', commit).split(' ').slice(1), ...oids])
  }
  const answer = (path: string): Buffer => {
    const url = new URL(path, 'http://x')
    const commit = /\/packs\/([0-9a-f]+)$/.exec(url.pathname)?.[1]
    asked.push(path)
    if (commit !== undefined) return packs.get(`${commit}${url.search}`) ?? packs.get(commit) ?? honest(commit)
    const [from, to] = [url.searchParams.get('from')!, url.searchParams.get('to')!]
    const listed = git('rev-list', '--first-parent', `${from}..${to}`)
    return pack(listed === '' ? [to] : listed.split('\n'))
  }
  const http: HttpClient = {
    server: 'http://x',
    request: async ({ path }) => new Response(new Uint8Array(answer(path))),
  }
  let opened = 0
  return {
    directory,
    git,
    pack,
    packs,
    asked,
    thin(commit, have, without) {
      const known = new Set(git('rev-list', '--objects', have).split('\n'))
      const lines = git('rev-list', '--objects', commit).split('\n')
      const fresh = lines.filter((line) => !known.has(line) && !(without !== undefined && line.startsWith(without)))
      return run(['pack-objects', '-q', '--stdout'], { input: `-${have}\n${fresh.join('\n')}\n` })
    },
    key(name) {
      const file = join(directory, name)
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file])
      return file
    },
    commit(files, { key = null, message = `Change\n\n${TRAILERS}`, date, parents, author }) {
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(repository, path)), { recursive: true })
        writeFileSync(join(repository, path), content)
      }
      git('add', '--all')
      const tree = git('write-tree')
      const before =
        parents ?? git('for-each-ref', '--format=%(objectname)', 'refs/heads/main').split('\n').filter(Boolean)
      const signing =
        key === null
          ? []
          : key.includes('/')
            ? ['-c', 'gpg.format=ssh', '-c', `user.signingKey=${key}`]
            : ['-c', `user.signingKey=${key}`]
      const argv = [
        ...signing,
        'commit-tree',
        ...(key === null ? [] : ['-S']),
        ...before.flatMap((each) => ['-p', each]),
        tree,
      ]
      const more = {
        ...(date && { GIT_COMMITTER_DATE: date, GIT_AUTHOR_DATE: date }),
        ...(author && { GIT_AUTHOR_NAME: author }),
      }
      const oid = run(argv, { input: message, more }).toString().trim()
      if (parents === undefined) git('update-ref', 'refs/heads/main', oid)
      return oid
    },
    async open(rules) {
      const file = join(directory, 'agent.yaml')
      writeFileSync(
        file,
        JSON.stringify({ server: 'http://x', data: `agent${opened++}`, repositories: { shop: rules } }),
      )
      const settings: AgentSettings = readAgentConfig(file)
      const source = await agentWay(settings).openSource({ http, data: settings.options.data, log: silentLogger })
      sources.push(source)
      return source
    },
    grant: (commit, more = {}) => ({
      runId: 'run_1',
      fence: 1,
      leaseMs: 15_000,
      kind: 'deploy',
      destroy: false,
      stack: STACK,
      driver: 'files',
      driverConfig: { target: '/elsewhere' },
      commit,
      desiredDigest: 'x',
      paths: ['.'],
      inputs: {},
      variables: {},
      ignore: [],
      checks: [],
      verify: [{ run: 'touch /elsewhere', name: 'x', timeoutMs: 1 }],
      timeoutMs: 1,
      keys: { hash: '', plan: '' },
      codify: false,
      ...more,
    }),
    async fetch(source, grant) {
      const into = mkdtempSync(join(directory, 'ws-'))
      try {
        const fetched = await source.fetch(grant, into, new AbortController().signal)
        return { grant: fetched.grant, read: (path) => readFileSync(join(into, path), 'utf8') }
      } catch (thrown) {
        if (thrown instanceof TrueupError) return thrown.code
        throw thrown
      }
    },
    async close() {
      await Promise.all(sources.map((source) => source.close()))
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Adds a public key to a file of allowed signers. */
export function allow(file: string, key: string, options = ''): void {
  appendFileSync(file, `someone@shop ${options} ${readFileSync(`${key}.pub`, 'utf8')}`)
}
