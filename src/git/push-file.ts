import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newId } from '../lib/ids.ts'
import { TrueupError } from '../lib/errors/error.ts'
import { decodePath } from './paths.ts'

/** What one push did, as `post-receive` wrote it. */
export interface PushRecord {
  repositoryId: string
  userId: string
  updates: { ref: string; oldOid: string; newOid: string }[]
  /** `git push -o` values. */
  options: string[]
}

const FIRST_LINE = 'trueup-push 1'
const SUFFIX = '.push'

/** Reads a push file; null where there is none. DATA_CORRUPT when it is not one. */
export async function readPush(file: string): Promise<PushRecord | null> {
  let bytes: Buffer
  try {
    bytes = await readFile(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  const lines = decodePath(bytes).split('\n')
  if (lines[0] !== FIRST_LINE || lines.at(-2) !== 'end') {
    throw new TrueupError('DATA_CORRUPT', {
      doing: `reading the push file ${file}`,
      why: 'it is not whole',
      next: 'Delete it; the branches are compared at the next start.',
    })
  }
  const push: PushRecord = { repositoryId: '', userId: '', updates: [], options: [] }
  for (const line of lines) {
    const space = line.indexOf(' ')
    const value = line.slice(space + 1)
    const [oldOid = '', newOid = '', ...ref] = value.split(' ')
    if (line.startsWith('repository ')) push.repositoryId = value
    else if (line.startsWith('user ')) push.userId = value
    else if (line.startsWith('option ')) push.options.push(value)
    else if (line.startsWith('update ')) push.updates.push({ oldOid, newOid, ref: ref.join(' ') })
  }
  return push
}

/** Push files that a crash left in a spool directory, oldest first. */
export async function listPushes(spool: string): Promise<string[]> {
  const names = await readdir(spool)
  return names
    .filter((name) => name.endsWith(SUFFIX))
    .sort()
    .map((name) => join(spool, name))
}

/** A new file name in the spool, sorting by time. */
export function newPushFile(spool: string): string {
  return join(spool, `${newId('push')}${SUFFIX}`)
}
