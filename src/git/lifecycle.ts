import { access, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { newId } from '../lib/ids.ts'
import { TrueupError } from '../lib/errors/error.ts'
import { syncPath } from './child/durability.ts'
import type { GitChild } from './child-process.ts'
import type { GitCommand } from './git-command.ts'
import { maintain } from './maintain.ts'
import { checkRefName } from './names.ts'
import type { GitRepository } from './repository.ts'

type Lifecycle = Pick<GitRepository, 'init' | 'exists' | 'remove' | 'defaultBranch' | 'setDefaultBranch' | 'maintain'>

const HEADS = 'refs/heads/'

/** A repository appears and goes by one rename, so a kill leaves either all of it or none. */
export function createLifecycle(child: GitChild, git: GitCommand, root: string, id: string): Lifecycle {
  const directory = join(root, `${id}.git`)
  const exists = async (): Promise<boolean> => {
    try {
      await access(join(directory, 'HEAD'))
      return true
    } catch {
      return false
    }
  }
  return {
    exists,
    async init(defaultBranch) {
      checkRefName(HEADS + defaultBranch, 'making a repository')
      if (await exists()) return
      const unfinished = join(root, `.new-${newId(id)}`)
      const argv = ['init', '--bare', '--quiet', '--template=', `--initial-branch=${defaultBranch}`, '--', unfinished]
      const result = await child.call('run', { argv, options: {} })
      if (result.exitCode !== 0) {
        await rm(unfinished, { recursive: true, force: true })
        throw new TrueupError('GIT_FAILED', { doing: `making repository ${id}`, why: result.stderr.trim() })
      }
      // Git syncs objects and refs, not what `init` writes: after a power cut HEAD would be there and empty.
      await syncTree(unfinished)
      try {
        await rename(unfinished, directory)
      } catch (error) {
        await rm(unfinished, { recursive: true, force: true })
        // Another call was faster.
        if (!(await exists())) throw error
      }
      await syncPath(root)
    },
    async remove() {
      await child.call('release', { repository: id })
      const gone = join(root, `.gone-${newId(id)}`)
      try {
        await rename(directory, gone)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
        throw error
      }
      await syncPath(root)
      await rm(gone, { recursive: true, force: true })
    },
    async defaultBranch() {
      let head: string
      try {
        head = await readFile(join(directory, 'HEAD'), 'utf8')
      } catch (error) {
        throw new TrueupError('NOT_FOUND', {
          doing: `reading HEAD of repository ${id}`,
          why: 'it does not exist',
          cause: error,
        })
      }
      return head.trim().replace(/^ref: refs\/heads\//, '')
    },
    async setDefaultBranch(name) {
      const argv = ['symbolic-ref', 'HEAD', checkRefName(HEADS + name, 'choosing the default branch')]
      await git.expect('choosing the default branch', argv)
      await syncPath(join(directory, 'HEAD'))
      await syncPath(directory)
    },
    maintain: (signal) => maintain(git, directory, signal),
  }
}

/** Every file and directory, those below before those above. */
async function syncTree(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    await (entry.isDirectory() ? syncTree(path) : syncPath(path))
  }
  await syncPath(directory)
}
