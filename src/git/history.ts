import type { GitCommand } from './git-command.ts'
import { checkOid } from './names.ts'
import { createRemembered } from './remembered.ts'
import type { ObjectReader } from './objects.ts'
import { parseCommit } from './parse.ts'
import { commandLinePath } from './paths.ts'
import type { Commit, GitRepository, LogOptions } from './repository.ts'
import { objectMissing } from './trees.ts'

type History = Pick<GitRepository, 'commit' | 'log' | 'commitsTouching' | 'mergeBase' | 'isAncestor'>

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 10_000
/** Lists of commits remembered: every look at an MR asks for its commits. */
const REMEMBERED = 128
const LONGEST_REMEMBERED = 2_500

export function createHistory(git: GitCommand, objects: ObjectReader): History {
  const readCommits = async (oids: readonly string[]): Promise<Commit[]> => {
    const found = await objects.read(oids.map((oid) => `${oid}^{commit}`))
    return found.map((object, index) => {
      if (!object.found) throw objectMissing(oids[index]!)
      return parseCommit(object.content, object.oid)
    })
  }
  const lists = createRemembered<string[]>(REMEMBERED)
  const list = async (options: LogOptions, path?: string): Promise<Commit[]> => {
    const doing = 'reading the history'
    const limit = Math.min(options.limit ?? DEFAULT_LIMIT, MAX_LIMIT)
    const argv = ['rev-list', `--max-count=${limit}`]
    if (options.firstParent) argv.push('--first-parent')
    argv.push(checkOid(options.to, doing))
    if (options.from !== undefined) argv.push(`^${checkOid(options.from, doing)}`)
    argv.push('--', ...(path === undefined ? [] : [path]))
    const find = async (): Promise<string[]> => {
      const { stdout } = await git.expect(doing, argv, { readOnly: true })
      return stdout.toString('latin1').split('\n').filter(Boolean)
    }
    const isShort = (oids: string[]): boolean => oids.length <= LONGEST_REMEMBERED
    return await readCommits(await lists.answer(argv.join('\0'), find, isShort))
  }
  return {
    async commit(oid) {
      const [commit] = await readCommits([checkOid(oid, 'reading a commit')])
      return commit!
    },
    log: (options) => list(options),
    commitsTouching: async (path, options) => list(options, commandLinePath(path, 'reading the history')),
    async mergeBase(a, b) {
      const doing = 'looking for the common ancestor'
      const argv = ['merge-base', checkOid(a, doing), checkOid(b, doing)]
      const { stdout, exitCode } = await git.expect(doing, argv, { exitCodes: [0, 1], readOnly: true })
      return exitCode === 0 ? stdout.toString('latin1').trim() : null
    },
    async isAncestor(a, b) {
      const doing = 'comparing histories'
      const argv = ['merge-base', '--is-ancestor', checkOid(a, doing), checkOid(b, doing)]
      return (await git.expect(doing, argv, { exitCodes: [0, 1], readOnly: true })).exitCode === 0
    },
  }
}
