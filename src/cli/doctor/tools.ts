import { coerce, gte } from 'semver'
import { TrueupError } from '../../lib/errors/error.ts'
import { runProcess } from '../../lib/process/run.ts'
import type { Check } from './check.ts'

const MIN_GIT = '2.39.0'
const MIN_NODE = '24.0.0'

/** Tools that drivers run, and how each says its version. */
const TOOLS = [
  { name: 'terraform', argv: ['terraform', 'version'] },
  { name: 'tofu', argv: ['tofu', 'version'] },
  { name: 'ansible-playbook', argv: ['ansible-playbook', '--version'] },
  { name: 'cfn-lint', argv: ['cfn-lint', '--version'] },
  { name: 'puppet', argv: ['puppet', '--version'] },
  { name: 'r10k', argv: ['r10k', 'version'] },
  { name: 'chef-client', argv: ['chef-client', '--version'] },
  { name: 'cinc-client', argv: ['cinc-client', '--version'] },
  { name: 'ssh', argv: ['ssh', '-V'] },
  { name: 'kubectl', argv: ['kubectl', 'version', '--client'] },
  { name: 'kustomize', argv: ['kustomize', 'version'] },
  { name: 'helm', argv: ['helm', 'version', '--short'] },
] as const

export function checkNode(): Check {
  const finding = `${process.versions.node} (${process.execPath})`
  if (gte(process.versions.node, MIN_NODE)) return { name: 'node', state: 'ok', finding }
  return { name: 'node', state: 'error', finding, next: 'Install Node 24 or newer' }
}

export async function checkGit(env: NodeJS.ProcessEnv): Promise<Check> {
  const version = await versionOf(['git', '--version'], env)
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
    TOOLS.map(async ({ name, argv }): Promise<Check> => {
      const version = await versionOf([...argv], env)
      return version === null
        ? { name, state: 'note', finding: 'not found; needed only by stacks that use it' }
        : { name, state: 'ok', finding: version }
    }),
  )
}

/** The first version-like text in what the program says, or null where it is not there or does not answer. */
async function versionOf(argv: string[], env: NodeJS.ProcessEnv): Promise<string | null> {
  const clean = { PATH: env.PATH ?? '', HOME: env.HOME ?? '/', LC_ALL: 'C', CHECKPOINT_DISABLE: '1' }
  try {
    const { stdout, stderr } = await runProcess({ argv, env: clean, timeoutMs: 10_000 })
    return coerce(stdout || stderr)?.version ?? null
  } catch (error) {
    if (error instanceof TrueupError) return null
    throw error
  }
}
