import { readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TrueupError } from '../lib/errors/error.ts'
import type { GitCommand } from './git-command.ts'
import { checkOid } from './names.ts'
import type { GitRepository } from './repository.ts'

type Packing = Pick<GitRepository, 'packTree' | 'packObjects' | 'receivePack' | 'packs' | 'dropPack'>

const PACK_MS = 10 * 60_000
const MAX_LISTED_BYTES = 256 * 1024 * 1024
/** A difference that is larger is not made: it would have to stand in memory. The whole pack is written to its file by Git. */
const MAX_THIN_BYTES = 64 * 1024 * 1024
const SUFFIXES = ['pack', 'idx', 'rev']

export function createPacking(git: GitCommand, directory: string, mostThinBytes = MAX_THIN_BYTES): Packing {
  /** Lines `ID PATH`: the way to each path with everything below it. */
  async function objectsOf(commit: string, paths: readonly string[], doing: string): Promise<string[]> {
    // Of the tree and not of the commit: with a path, Git leaves out a commit that did not change it.
    const tree = `${checkOid(commit, doing)}^{tree}`
    const argv = ['rev-list', '--objects', tree, '--', ...paths.map((path) => (path === '' ? '.' : path))]
    const { stdout } = await git.expect(doing, argv, { readOnly: true, maxOutputBytes: MAX_LISTED_BYTES })
    return stdout.toString('utf8').split('\n').filter(Boolean)
  }

  /**
   * A thin pack: a line `-COMMIT` names what the other side has, of which differences are made and nothing is sent. Without `--thin`,
   * which has Git look for the objects itself (pack-objects.c, `use_internal_rev_list`): they are listed here. False where it is too large.
   */
  async function packDifference(lines: readonly string[], base: string, file: string, doing: string): Promise<boolean> {
    const input = Buffer.from(`-${base}\n${lines.join('\n')}\n`)
    const argv = ['pack-objects', '--quiet', '--stdout', '--delta-base-offset']
    try {
      const { stdout } = await git.expect(doing, argv, { input, timeoutMs: PACK_MS, maxOutputBytes: mostThinBytes })
      // Under its name it is taken as it is, also after a power cut.
      await writeFile(`${file}.made`, stdout, { mode: 0o600, flush: true })
    } catch (thrown) {
      if (thrown instanceof TrueupError && thrown.code === 'TOO_LARGE') return false
      throw thrown
    }
    await rename(`${file}.made`, file)
    return true
  }

  return {
    async packTree(commit, paths, file, { more = [], base } = {}) {
      const doing = `packing commit ${commit}`
      const oid = checkOid(commit, doing)
      const listed = await objectsOf(oid, paths, doing)
      const known = base && new Set([base.commit, ...(await objectsOf(base.commit, base.paths, doing)).map(oidIn)])
      const named = [oid, ...more.map((other) => checkOid(other, doing))]
      const lines = [...named, ...listed.filter((line) => !known?.has(oidIn(line)))]
      if (base && (await packDifference(lines, checkOid(base.commit, doing), file, doing))) return
      const input = Buffer.from(`${[...named, ...listed].join('\n')}\n`)
      const target = `${file}.made`
      const pack = ['pack-objects', '--quiet', '--delta-base-offset', target]
      const { stdout } = await git.expect(doing, pack, { input, timeoutMs: PACK_MS })
      const made = `${target}-${stdout.toString('latin1').trim()}`
      await rename(`${made}.pack`, file)
      for (const suffix of SUFFIXES.slice(1)) await rm(`${made}.${suffix}`, { force: true })
    },
    async packObjects(oids) {
      const doing = 'packing objects'
      const input = oids.map((oid) => `${checkOid(oid, doing)}\n`).join('')
      return (await git.expect(doing, ['pack-objects', '--quiet', '--stdout'], { input, readOnly: true })).stdout
    },
    async receivePack(pack) {
      const result = await git.run(['index-pack', '--stdin', '--fix-thin', '--fsck-objects'], {
        input: pack,
        timeoutMs: PACK_MS,
      })
      const name = /^(?:pack|keep)\t([0-9a-f]{40,64})/.exec(result.stdout.toString('latin1'))?.[1]
      if (result.exitCode === 0 && name !== undefined) return name
      throw new TrueupError('PACK_INVALID', {
        doing: 'taking in a pack of objects',
        why: result.stderr.trim().split('\n').slice(-3).join('; ') || `git index-pack ended with ${result.exitCode}`,
      })
    },
    async packs() {
      const names = await readdir(join(directory, 'objects', 'pack'))
      return names.flatMap((name) => /^pack-([0-9a-f]{40,64})\.pack$/.exec(name)?.[1] ?? [])
    },
    async dropPack(name) {
      const base = join(directory, 'objects', 'pack', `pack-${checkOid(name, 'removing a pack')}`)
      // The index first: without it Git does not see the pack.
      for (const suffix of ['idx', 'rev', 'pack']) await rm(`${base}.${suffix}`, { force: true })
    },
  }
}

const oidIn = (line: string): string => line.split(' ', 1)[0]!
