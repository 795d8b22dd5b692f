import { createHash } from 'node:crypto'
import { lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { TrueupError } from '../lib/errors/error.ts'
import { silentLogger, type Logger } from '../lib/log.ts'
import { startGitChild } from './child-process.ts'
import { checkRepositoryId } from './names.ts'
import { openRepository } from './open-repository.ts'
import type { GitRepository, GitService } from './repository.ts'

export interface GitServiceOptions {
  /** Directory of the bare repositories, `<id>.git` each; made where it does not exist. */
  root: string
  log?: Logger
  /** The git process ends after so long without work, and the next piece of work starts it; it stays where this is absent. */
  idleMs?: number
}

/** Open repositories keep their parsed trees, so only so many are kept open. */
const OPEN_REPOSITORIES = 16

/**
 * Starts the git child process and resolves when it is ready. The child is started again when it dies: reads in flight
 * are repeated, everything else is rejected as UNAVAILABLE (retryable).
 */
export async function startGitService(options: GitServiceOptions): Promise<GitService> {
  const log = options.log ?? silentLogger
  const root = resolve(options.root)
  await mkdir(root, { recursive: true, mode: 0o700 })
  await removeUnfinished(root)
  const runtimeDirectory = await makeRuntimeDirectory(root)
  const child = await startGitChild(
    { root, hooksPath: join(root, '.hooks'), runtimeDirectory, idleMs: options.idleMs },
    log,
    sweepAfterCrash,
  )
  const open = new Map<string, GitRepository>()

  /** The processes of the dead child were killed: their locks have no owner any more. */
  async function sweepAfterCrash(): Promise<void> {
    for (const name of await readdir(root)) {
      if (!name.endsWith('.git')) continue
      const repository = name.slice(0, -'.git'.length)
      const { removed } = await child.call('sweep', { repository, minAgeMs: 0 })
      if (removed.length > 0) log.warn({ repository, removed }, 'removed what a killed git process left behind')
    }
  }

  return {
    repository(id) {
      const repository = open.get(id) ?? openRepository(child, root, checkRepositoryId(id))
      open.delete(id)
      open.set(id, repository)
      if (open.size > OPEN_REPOSITORIES) open.delete(open.keys().next().value!)
      return repository
    },
    run(argv, { signal, readOnly, ...rest } = {}) {
      return child.call('run', { argv, options: rest }, { signal, repeat: readOnly })
    },
    http: {
      get socketPath() {
        return child.socketPath
      },
      admit: (admission) => child.call('admit', admission, { repeat: true }),
    },
    async close() {
      await child.close()
      await rm(runtimeDirectory, { recursive: true, force: true })
    },
  }
}

/** The name of a unix socket holds 107 bytes, 43 of which follow this directory. */
const MAX_TMPDIR_BYTES = 64

/**
 * Private, because who can connect can try tickets. Named after the repositories, of which one service at a time is in
 * charge, so that what a killed one left is known and goes.
 */
async function makeRuntimeDirectory(root: string): Promise<string> {
  const base = Buffer.byteLength(tmpdir()) > MAX_TMPDIR_BYTES ? '/tmp' : tmpdir()
  const prefix = `trueup-git-${createHash('sha256').update(root).digest('hex').slice(0, 8)}-`
  try {
    for (const name of await readdir(base)) if (name.startsWith(prefix)) await removeOwn(join(base, name))
    return await mkdtemp(join(base, prefix))
  } catch (cause) {
    throw new TrueupError('DATA_UNWRITABLE', {
      doing: 'starting the git service',
      why: `no directory can be made in ${base}: ${(cause as NodeJS.ErrnoException).code}`,
      next: 'Set TMPDIR to a directory that this user may write to.',
      cause,
    })
  }
}

/** The temporary directory is everybody's: what is another's, or no directory, stays. */
async function removeOwn(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null)
  if (found?.isDirectory() && found.uid === process.getuid?.()) await rm(path, { recursive: true, force: true })
}

/** What `init` and `remove` of a killed server left half done; see `lifecycle.ts`. */
async function removeUnfinished(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (name.startsWith('.new-') || name.startsWith('.gone-'))
      await rm(join(root, name), { recursive: true, force: true })
  }
}
