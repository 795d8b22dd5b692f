import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { coerce } from 'semver'
import { TrueupError } from '../../lib/errors/error.ts'
import { runProcess } from '../../lib/process/run.ts'

/** Programs that drivers start, and with which arguments each says its version. */
export const PROGRAMS: ReadonlyMap<string, readonly string[]> = new Map([
  ['terraform', ['version']],
  ['tofu', ['version']],
  ['ansible-playbook', ['--version']],
  ['cfn-lint', ['--version']],
  ['puppet', ['--version']],
  ['r10k', ['version']],
  ['chef-client', ['--version']],
  ['cinc-client', ['--version']],
  ['ssh', ['-V']],
  ['kubectl', ['version', '--client']],
  ['kustomize', ['version']],
  ['helm', ['version', '--short']],
])

/** The file that a name stands for on a PATH, or null. */
export async function findOnPath(name: string, path: string): Promise<string | null> {
  for (const directory of path.split(delimiter)) {
    if (directory === '') continue
    const candidate = join(directory, name)
    const found = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found && (await stat(candidate)).isFile()) return candidate
  }
  return null
}

/** Numbers with a point between them: `r10k 5.0.3` is not version 10. */
const NUMBERS = /\d+\.\d+(?:\.\d+)?/

/** The first version-like text in what a program says, or null where it is not there, fails, or does not answer. */
export async function askVersion(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<string | null> {
  // Ansible refuses to start in a locale without UTF-8.
  const clean = { PATH: env.PATH ?? '', HOME: env.HOME ?? '/', LC_ALL: 'C.UTF-8', CHECKPOINT_DISABLE: '1' }
  try {
    const { stdout, stderr, exitCode } = await runProcess({ argv: [...argv], env: clean, timeoutMs: 10_000 })
    // What a program complains of has numbers, too.
    return exitCode === 0 ? (coerce(NUMBERS.exec(stdout || stderr)?.[0])?.version ?? null) : null
  } catch (error) {
    if (error instanceof TrueupError) return null
    throw error
  }
}
