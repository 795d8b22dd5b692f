import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { TrueupError } from '../../lib/errors/error.ts'

const run = promisify(execFile)

/** A person's clone, driven with real git against the server's Git HTTP. */
export interface WorkingCopy {
  directory: string
  git(...argv: string[]): Promise<string>
  /** Writes files (null removes) and commits them. */
  commit(message: string, files: { [path: string]: string | null }): Promise<void>
}

export async function createWorkingCopy(
  directory: string,
  person: { name: string; email: string; token: string },
  remote: string,
): Promise<WorkingCopy> {
  await mkdir(directory, { recursive: true })
  const credentials = Buffer.from(`${person.name}:${person.token}`).toString('base64')
  const env = {
    ...process.env,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: person.name,
    GIT_AUTHOR_EMAIL: person.email,
    GIT_COMMITTER_NAME: person.name,
    GIT_COMMITTER_EMAIL: person.email,
    // In the environment and not on the command line, where other users of the machine could read it.
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'http.extraHeader',
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${credentials}`,
  }
  const copy: WorkingCopy = {
    directory,
    async git(...argv) {
      try {
        const { stdout, stderr } = await run('git', argv, { cwd: directory, env, maxBuffer: 16 * 1024 * 1024 })
        return stdout + stderr
      } catch (error) {
        const { stderr, code } = error as { stderr?: string; code?: string }
        if (code === 'ENOENT')
          throw new TrueupError('TOOL_MISSING', {
            doing: 'running git',
            why: 'there is no git on PATH',
            next: 'Install git.',
          })
        throw new TrueupError('GIT_FAILED', {
          doing: `running git ${argv[0]}`,
          why: (stderr ?? String(error)).trim(),
          cause: error,
        })
      }
    },
    async commit(message, files) {
      for (const [path, content] of Object.entries(files)) {
        const file = join(directory, path)
        await mkdir(dirname(file), { recursive: true })
        if (content === null) await rm(file)
        else await writeFile(file, content)
      }
      await copy.git('add', '--all')
      await copy.git('commit', '--quiet', '--message', message)
    },
  }
  await copy.git('init', '--quiet', '--initial-branch', 'main')
  await copy.git('remote', 'add', 'origin', remote)
  return copy
}
