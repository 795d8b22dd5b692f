import { TrueupError } from '../lib/errors/error.ts'
import { nulFields, type GitCommand } from './git-command.ts'
import { personEnvironment } from './identity.ts'
import { checkOid } from './names.ts'
import { decodePath } from './paths.ts'
import { createRemembered } from './remembered.ts'
import type { CommitTree, GitRepository, MergeResult } from './repository.ts'

type Merging = Pick<GitRepository, 'mergeTree' | 'commitTree'>

/** Results remembered: commits never change, so a merge of two never does, and every look at an MR asks for it. */
const REMEMBERED = 256

export function createMerging(git: GitCommand): Merging {
  const results = createRemembered<MergeResult>(REMEMBERED)
  return {
    mergeTree: (target, head) => results.answer(`${target} ${head}`, () => mergeTree(target, head)),
    commitTree,
  }

  async function mergeTree(target: string, head: string): Promise<MergeResult> {
    const doing = `merging ${head} into ${target}`
    const commits = [checkOid(target, doing), checkOid(head, doing)]
    // Exit codes of merge-tree: 0 clean, 1 conflicts, anything else is no merge at all. Newer git exits with 1 as well where
    // a commit is missing: a conflict always names the tree it left.
    const argv = ['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', ...commits]
    const result = await git.run(argv, { timeoutMs: 120_000 })
    const [tree = Buffer.alloc(0), ...names] = nulFields(result.stdout)
    if (result.exitCode === 0) return { clean: true, tree: tree.toString('latin1') }
    if (result.exitCode === 1 && tree.length > 0)
      return { clean: false, conflicts: [...new Set(names.map(decodePath))].sort() }
    const base = await git.expect(doing, ['merge-base', ...commits], { exitCodes: [0, 1], readOnly: true })
    if (base.exitCode === 1) {
      throw new TrueupError('MR_CONFLICT', {
        doing,
        why: 'the two have no commit in common',
        next: 'Rebase the branch onto the target branch and push it again.',
      })
    }
    throw new TrueupError('GIT_FAILED', { doing, why: result.stderr.trim() })
  }
  async function commitTree({
    tree,
    parents,
    message,
    author,
    committer = author,
    signingKey,
  }: CommitTree): Promise<string> {
    const doing = 'making a commit'
    const signing = signingKey === undefined ? [] : ['-c', 'gpg.format=ssh', '-c', `user.signingKey=${signingKey}`]
    const argv = [
      ...signing,
      'commit-tree',
      ...(signing.length > 0 ? ['-S'] : []),
      '-F',
      '-',
      ...parents.flatMap((parent) => ['-p', checkOid(parent, doing)]),
      checkOid(tree, doing),
    ]
    const env = { ...personEnvironment('AUTHOR', author), ...personEnvironment('COMMITTER', committer) }
    const { stdout } = await git.expect(doing, argv, { env, input: message })
    return stdout.toString('latin1').trim()
  }
}
