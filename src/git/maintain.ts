import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { GitCommand } from './git-command.ts'
import type { GitRunOptions } from './repository.ts'

/** Below these there is little to gain: a repository that rests is only counted. */
const MANY_LOOSE = 250
const MANY_PACKS = 12

/** One core, and memory for a window of deltas, however large the machine is. */
const GENTLY = ['-c', 'pack.threads=1', '-c', 'repack.writeBitmaps=false']

/**
 * Packs loose objects and small packs so that each pack is at least twice as large as all smaller ones together: what was
 * packed before is left where it is, and the work is in proportion to what is new. Then an index over all packs, one
 * over the commits, and refs in one file. Nothing is thrown away, also what no ref reaches any more: heads that somebody
 * approved, merges of closed requests and what was once deployed stay readable. False where there was too little to do, or
 * a push is being received.
 *
 * A kill at any moment leaves every object where it was or in a pack that is complete: git writes a pack under another
 * name, and removes what is in it afterwards. What else stays behind is swept, see `child/sweep.ts`.
 */
export async function maintain(git: GitCommand, directory: string, signal?: AbortSignal): Promise<boolean> {
  const { loose, packs } = await countObjects(git)
  if (loose < MANY_LOOSE && packs < MANY_PACKS) return false
  if (await isReceiving(directory)) return false
  const options: GitRunOptions = { timeoutMs: 60 * 60_000, background: true, ...(signal && { signal }) }
  // First what refs reach: only there does git know which objects are versions of one file, without which a pack of many
  // small commits is eight times as large (5,000 of them: 15 MB instead of 1.9; git 2.39, November 2026).
  await git.expect('packing', [...GENTLY, 'repack', '-d', '--quiet'], options)
  await git.expect('joining packs', [...GENTLY, 'repack', '--geometric=2', '-d', '--write-midx', '--quiet'], options)
  await git.expect('indexing commits', ['commit-graph', 'write', '--reachable', '--split', '--no-progress'], options)
  await git.expect('packing references', ['pack-refs', '--all'], options)
  return true
}

/** https://git-scm.com/docs/git-count-objects, with `-v`: `count` are loose ones. */
async function countObjects(git: GitCommand): Promise<{ loose: number; packs: number }> {
  const { stdout } = await git.expect('counting objects', ['count-objects', '-v'], { readOnly: true })
  const counted = new Map(
    stdout
      .toString()
      .split('\n')
      .map((line) => line.split(': ') as [string, string]),
  )
  return { loose: Number(counted.get('count') ?? 0), packs: Number(counted.get('packs') ?? 0) }
}

/** Git receives into a directory of this name and moves the objects when they are checked. */
async function isReceiving(directory: string): Promise<boolean> {
  return (await readdir(join(directory, 'objects'))).some((name) => name.startsWith('tmp_objdir-incoming'))
}
