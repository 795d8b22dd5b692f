import { TrueupError } from '../../lib/errors/error.ts'
import type { RefUpdate } from '../protocol.ts'
import type { Durability } from './durability.ts'
import { runGit, type RunContext } from './run.ts'

/**
 * Compare-and-swap of a ref. While another process holds its lock, git waits (`core.filesRefLockTimeout`). Why git refused
 * is never read from its words: after a refusal the ref is looked up, and one that has moved was not there to be swapped.
 */
export async function updateRef(context: RunContext, durability: Durability, update: RefUpdate): Promise<boolean> {
  const { repository, name, newOid, oldOid } = update
  const command = newOid === null ? `delete ${name}\0${oldOid ?? ''}\0` : `update ${name}\0${newOid}\0${oldOid ?? ''}\0`
  if (newOid === null && (await standsAt(context, repository, name)) === null) return false
  const result = await runGit(context, ['update-ref', '--stdin', '-z'], { repository, input: command })
  if (result.exitCode === 0) {
    await durability.settle(context.directoryOf(repository), [name])
    return true
  }
  const now = await standsAt(context, repository, name)
  if (oldOid !== null && now !== (isZero(oldOid) ? null : oldOid)) return false
  throw new TrueupError('GIT_FAILED', {
    doing: `moving ${name} in repository ${repository}`,
    why: result.stderr.trim(),
  })
}

const isZero = (oid: string): boolean => /^0+$/.test(oid)

async function standsAt(context: RunContext, repository: string, name: string): Promise<string | null> {
  const argv = ['for-each-ref', '--format=%(objectname) %(refname)', name]
  const { stdout } = await runGit(context, argv, { repository })
  for (const line of stdout.toString('utf8').split('\n')) {
    const space = line.indexOf(' ')
    if (line.slice(space + 1) === name) return line.slice(0, space)
  }
  return null
}
