import { TrueupError } from '../lib/errors/error.ts'
import type { GitChild } from './child-process.ts'
import { checkOid } from './names.ts'
import { decodePath } from './paths.ts'
import type { PathEntry, TreeChange } from './repository.ts'

/** Some 50,000 changes; beyond, whoever asks had better look at the whole tree. */
const MAX_BYTES = 8 * 1024 * 1024
const NOTHING = '000000'
const NUL = 0

/** See `GitRepository.treeChanges`. */
export async function treeChanges(
  child: GitChild,
  repository: string,
  oldTree: string,
  newTree: string,
): Promise<TreeChange[] | null> {
  const doing = 'comparing trees'
  if (checkOid(oldTree, doing) === checkOid(newTree, doing)) return []
  const input = { repository, oldTree, newTree, maxBytes: MAX_BYTES }
  const records = await child.call('compareTrees', input, { repeat: true })
  return records && parseRecords(records)
}

/** `:<mode> <mode> <oid> <oid> <status>\0<path>\0`, again and again. Without renames the status says nothing new. */
function parseRecords(records: Buffer): TreeChange[] {
  const changes: TreeChange[] = []
  for (let at = 0; at < records.length; ) {
    const endOfFacts = records.indexOf(NUL, at)
    const endOfPath = records.indexOf(NUL, endOfFacts + 1)
    if (endOfFacts < 0 || endOfPath < 0) throw cutOff()
    const [oldMode = '', newMode = '', oldOid = '', newOid = ''] = records
      .toString('latin1', at + 1, endOfFacts)
      .split(' ')
    changes.push({
      path: decodePath(records.subarray(endOfFacts + 1, endOfPath)),
      old: entryOf(oldMode, oldOid),
      new: entryOf(newMode, newOid),
    })
    at = endOfPath + 1
  }
  return changes
}

function entryOf(mode: string, oid: string): PathEntry | null {
  if (mode === NOTHING) return null
  return { oid, mode, type: mode.startsWith('04') ? 'tree' : mode.startsWith('16') ? 'commit' : 'blob' }
}

function cutOff(): TrueupError {
  return new TrueupError('GIT_FAILED', { doing: 'comparing trees', why: "git's answer is not whole" })
}
