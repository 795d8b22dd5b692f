import { gte } from 'semver'
import { askVersion, PROGRAMS } from '../../drivers/tools/programs.ts'
import type { Check } from './check.ts'

const MIN_GIT = '2.39.0'
const MIN_NODE = '24.0.0'

export function checkNode(): Check {
  const finding = `${process.versions.node} (${process.execPath})`
  if (gte(process.versions.node, MIN_NODE)) return { name: 'node', state: 'ok', finding }
  return { name: 'node', state: 'error', finding, next: 'Install Node 24 or newer' }
}

export async function checkGit(env: NodeJS.ProcessEnv): Promise<Check> {
  const version = await askVersion(['git', '--version'], env)
  if (version === null)
    return { name: 'git', state: 'error', finding: 'not found', next: `Install git ${MIN_GIT} or newer` }
  if (gte(version, MIN_GIT)) return { name: 'git', state: 'ok', finding: version }
  return {
    name: 'git',
    state: 'error',
    finding: version,
    next: `Install git ${MIN_GIT} or newer: merges need its merge-tree`,
  }
}

export async function checkTools(env: NodeJS.ProcessEnv): Promise<Check[]> {
  return Promise.all(
    [...PROGRAMS].map(async ([name, versionArguments]): Promise<Check> => {
      const version = await askVersion([name, ...versionArguments], env)
      return version === null
        ? { name, state: 'note', finding: 'not found; needed only by stacks that use it' }
        : { name, state: 'ok', finding: version }
    }),
  )
}
