import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeDurably } from '../lib/durable-file.ts'
import { newId } from '../lib/ids.ts'
import { TrueupError } from '../lib/errors/error.ts'
import { decodePath } from './paths.ts'

const PushRecord = z.object({
  repositoryId: z.string(),
  userId: z.string(),
  updates: z.array(z.object({ ref: z.string(), oldOid: z.string(), newOid: z.string() })),
  /** `git push -o` values. */
  options: z.array(z.string()),
})

/** What one push did, as `post-receive` wrote it; or what it asks for, as the server wrote it before. */
export type PushRecord = z.infer<typeof PushRecord>

const FIRST_LINE = 'trueup-push 1'
const SUFFIX = '.push'
const ASKED_SUFFIX = '.asked'

/** The file beside a push file that says what the push asks for. */
export const askedFileOf = (pushFile: string): string => pushFile.replace(/\.push$/, ASKED_SUFFIX)

/**
 * Writes down what a push asks for, on the disk before a ref moves: who is cut off between the ref and `post-receive`
 * has pushed, and nothing else knows the options.
 */
export async function writeAsked(pushFile: string, push: PushRecord): Promise<void> {
  await writeDurably(askedFileOf(pushFile), JSON.stringify(push), 0o600)
}

/** What a push asked for; null where nothing was written down. DATA_CORRUPT when it is no such file. */
export async function readAsked(file: string): Promise<PushRecord | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return null
  })
  if (text === null) return null
  try {
    return PushRecord.parse(JSON.parse(text))
  } catch (cause) {
    const [doing, why] = [`reading what a push asked for from ${file}`, 'it is not what the server wrote']
    throw new TrueupError('DATA_CORRUPT', { doing, why, next: 'Delete it, and push again.', cause })
  }
}

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

/** What a crash left in a spool directory, oldest first: pushes that were made, and that were asked for at least. */
export async function listPushes(spool: string): Promise<{ made: string[]; asked: string[] }> {
  const names = (await readdir(spool)).sort().map((name) => join(spool, name))
  const made = names.filter((name) => name.endsWith(SUFFIX))
  const known = new Set(made.map(askedFileOf))
  return { made, asked: names.filter((name) => name.endsWith(ASKED_SUFFIX) && !known.has(name)) }
}

/** A new file name in the spool, sorting by time. */
export function newPushFile(spool: string): string {
  return join(spool, `${newId('push')}${SUFFIX}`)
}
