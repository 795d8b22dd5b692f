import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { GitRepository } from '../../git/repository.ts'
import { startGitService } from '../../git/service.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { runProcess } from '../../lib/process/run.ts'
import type { ProcessResult } from '../../lib/process/supervise.ts'
import { KEY_VARIABLE } from './key.ts'

/** Fetches of large repositories take their time. */
const TIMEOUT_MS = 20 * 60_000
const DESIRED = 'desired'

/** What a pipeline has checked out, and the objects in it. Nothing of the work tree is read, and nothing written to it. */
export interface Checkout {
  root: string
  /** The checkout's objects; what is made beside them (results of merges) lies elsewhere and goes at the end. */
  repository: GitRepository
  /** Git in the checkout, with the settings and credentials that the CI system gave it. Never throws for an exit code. */
  readonly git: (argv: readonly string[], input?: string) => Promise<ProcessResult>
  /** The same for what has to succeed: standard output, trimmed. GIT_FAILED. */
  readonly ask: (doing: string, argv: readonly string[], input?: string) => Promise<string>
  /** The commit of a revision of the checkout; GIT_OBJECT_MISSING where it was not fetched. */
  commit(revision: string, what: string): Promise<string>
  close(): Promise<void>
}

export interface CheckoutOptions {
  directory: string
  /** A directory of our own. */
  data: string
  env: NodeJS.ProcessEnv
}

/** Opens the checkout around a directory. CI_SHALLOW where its history is cut off. */
export async function openCheckout({ directory, data, env }: CheckoutOptions): Promise<Checkout> {
  const own = gitEnvironment(env)
  let root = resolve(directory)
  // A job that is told to stop writes down what it has done: git is not stopped with it.
  const git = (argv: readonly string[], input?: string): Promise<ProcessResult> =>
    runProcess({ argv: ['git', ...argv], cwd: root, env: own, timeoutMs: TIMEOUT_MS, ...(input && { input }) })
  const ask = async (doing: string, argv: readonly string[], input?: string): Promise<string> => {
    const result = await git(argv, input)
    if (result.exitCode === 0) return result.stdout.trim()
    throw new TrueupError('GIT_FAILED', { doing, why: saidBy(result) })
  }
  const doing = `opening the checkout around ${root}`
  root = await ask(doing, ['rev-parse', '--show-toplevel'])
  if ((await ask(doing, ['rev-parse', '--is-shallow-repository'])) === 'true')
    throw new TrueupError('CI_SHALLOW', { doing, why: 'the history of this clone is cut off' })
  const { stdout: promisors } = await git(['config', '--get-regexp', '^remote\\..*\\.promisor$', 'true'])
  if (promisors.trim() !== '')
    throw new TrueupError('CI_SHALLOW', {
      doing,
      why: 'it is a partial clone, in which files are missing',
      next: 'Clone without --filter.',
    })
  const objects = resolve(root, await ask(doing, ['rev-parse', '--git-path', 'objects']))
  const service = await startGitService({ root: join(data, 'git') })
  const repository = service.repository(DESIRED)
  await repository.init('main')
  await mkdir(join(repository.directory, 'objects', 'info'), { recursive: true })
  await writeFile(join(repository.directory, 'objects', 'info', 'alternates'), `${objects}\n`)
  return {
    root,
    repository,
    git,
    ask,
    async commit(revision, what) {
      const result = await git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`])
      if (result.exitCode === 0) return result.stdout.trim()
      throw new TrueupError('GIT_OBJECT_MISSING', {
        doing: `looking for ${what}`,
        why: `${revision} is not in this checkout`,
        next: `Fetch it before: git fetch origin ${revision.replace(/^origin\//, '')}.`,
      })
    },
    close: () => service.close(),
  }
}

/** In one line, the last that git said. */
export const saidBy = ({ stderr, exitCode }: ProcessResult): string =>
  stderr.trim().split('\n').slice(-3).join('; ') || `git ended with ${exitCode}`

/** The job's own, without our key: hooks and helpers of the checkout have no business with it. */
function gitEnvironment(env: NodeJS.ProcessEnv): { [name: string]: string } {
  const given = Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return {
    ...Object.fromEntries(given.filter(([name]) => name !== KEY_VARIABLE)),
    GIT_TERMINAL_PROMPT: '0',
    LC_ALL: 'C',
    GIT_AUTHOR_NAME: 'Trueup',
    GIT_AUTHOR_EMAIL: 'trueup@localhost',
    GIT_COMMITTER_NAME: 'Trueup',
    GIT_COMMITTER_EMAIL: 'trueup@localhost',
  }
}
