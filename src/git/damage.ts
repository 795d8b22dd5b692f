import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { runProcess } from '../lib/process/run.ts'
import { gitEnvironment } from './environment.ts'

/** A repository with as many refs as a server takes answers within seconds. */
const TIMEOUT_MS = 120_000

/**
 * What is wrong with a bare repository's directory, in words; null where nothing is. Looks at HEAD, the directories, and
 * whether every ref names an object that is there, `branch` (a full name) among them. Its history is not read (`git fsck` does that). Only reads, so a server may
 * run on it.
 */
export async function damageIn(directory: string, branch: string | null = null): Promise<string | null> {
  const head = await readFile(join(directory, 'HEAD'), 'utf8').catch(() => null)
  if (head === null) return 'has no HEAD'
  if (!/^ref: refs\/\S+/.test(head)) return 'has an empty or broken HEAD'
  for (const name of ['objects', 'refs']) {
    const found = await stat(join(directory, name)).catch(() => null)
    if (!found?.isDirectory()) return `has no directory "${name}"`
  }
  const { exitCode, stdout, stderr } = await runProcess({
    // The type of an object is in the object itself: what is missing or cut short is found.
    argv: ['git', 'for-each-ref', '--format=%(objecttype) %(refname)'],
    cwd: '/',
    env: { ...gitEnvironment('/dev/null'), GIT_DIR: directory },
    timeoutMs: TIMEOUT_MS,
  })
  const said = stderr.trim().split('\n')[0] ?? ''
  if (exitCode === 0 && !/\bbroken ref\b/.test(said)) {
    const isThere = branch === null || stdout.split('\n').includes(`commit ${branch}`)
    return isThere ? null : `has no ${branch}`
  }
  return `has refs that cannot be read: ${said.replace(/^(?:fatal|error|warning): /, '')}`
}
