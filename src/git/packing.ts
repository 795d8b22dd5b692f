import { readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { TrueupError } from '../lib/errors/error.ts'
import type { GitCommand } from './git-command.ts'
import { checkOid } from './names.ts'
import type { GitRepository } from './repository.ts'

type Packing = Pick<GitRepository, 'packTree' | 'packObjects' | 'receivePack' | 'packs' | 'dropPack'>

const PACK_MS = 10 * 60_000
const MAX_LISTED_BYTES = 256 * 1024 * 1024
const SUFFIXES = ['pack', 'idx', 'rev']

export function createPacking(git: GitCommand, directory: string): Packing {
  return {
    async packTree(commit, paths, file, more = []) {
      const doing = `packing commit ${commit}`
      const oid = checkOid(commit, doing)
      // Of the tree and not of the commit: with a path, Git leaves out a commit that did not change it.
      const argv = ['rev-list', '--objects', `${oid}^{tree}`, '--', ...paths.map((path) => (path === '' ? '.' : path))]
      const listed = await git.expect(doing, argv, { readOnly: true, maxOutputBytes: MAX_LISTED_BYTES })
      const named = [oid, ...more.map((other) => checkOid(other, doing))].map((each) => `${each}\n`).join('')
      const input = Buffer.concat([Buffer.from(named), listed.stdout])
      const base = `${file}.made`
      const pack = ['pack-objects', '--quiet', '--delta-base-offset', base]
      const { stdout } = await git.expect(doing, pack, { input, timeoutMs: PACK_MS })
      const made = `${base}-${stdout.toString('latin1').trim()}`
      await rename(`${made}.pack`, file)
      for (const suffix of SUFFIXES.slice(1)) await rm(`${made}.${suffix}`, { force: true })
    },
    async packObjects(oids) {
      const doing = 'packing objects'
      const input = oids.map((oid) => `${checkOid(oid, doing)}\n`).join('')
      return (await git.expect(doing, ['pack-objects', '--quiet', '--stdout'], { input, readOnly: true })).stdout
    },
    async receivePack(pack) {
      const result = await git.run(['index-pack', '--stdin', '--fsck-objects'], { input: pack, timeoutMs: PACK_MS })
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
