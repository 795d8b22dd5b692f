import { readFile } from 'node:fs/promises'
import { TrueupError } from '../../lib/errors/error.ts'

/**
 * The age identities of this worker, as the `sops` program looks for them: `SOPS_AGE_KEY_FILE` and `SOPS_AGE_KEY`
 * (https://getsops.io/docs/#encrypting-using-age). No tool of a run gets either.
 */
export async function ageIdentities(env: NodeJS.ProcessEnv): Promise<string[]> {
  const { SOPS_AGE_KEY: given = '', SOPS_AGE_KEY_FILE: file } = env
  const kept = file
    ? await readFile(file, 'utf8').catch((cause: Error) => {
        throw new TrueupError('SOPS_FAILED', {
          doing: 'reading the age keys of this worker',
          why: cause.message,
          cause,
        })
      })
    : ''
  return `${given}\n${kept}`
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('AGE-SECRET-KEY-'))
}
