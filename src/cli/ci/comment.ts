import { TrueupError } from '../../lib/errors/error.ts'
import type { Pipeline } from './pipeline.ts'
import { COMMENT } from './vouched-plans.ts'

/** What a token says that may only read, as jobs of forks have it. */
const MAY_NOT: ReadonlySet<string> = new Set(['FORGE_PERMISSION', 'FORGE_TOKEN', 'FORGE_GONE'])

/**
 * Writes the comment of the merge request, and says whether it did. Without the key it vouches for nothing, so that a job that
 * may not write it has done all that it can.
 */
export async function comment(
  { forge, key, surroundings: { change }, say }: Pick<Pipeline, 'forge' | 'key' | 'surroundings' | 'say'>,
  text: string,
): Promise<boolean> {
  if (forge === null || change === null) return false
  try {
    await forge.write(change, COMMENT, text)
    return true
  } catch (thrown) {
    if (key !== null || !(thrown instanceof TrueupError && MAY_NOT.has(thrown.code))) throw thrown
    say(`no comment: ${thrown.text.why}`)
    return false
  }
}
