import { readFileSync, writeFileSync } from 'node:fs'
import { affectedStacks } from '../../src/engine/snapshot/affected.ts'
import { createSnapshotCache } from '../../src/engine/snapshot/cache.ts'
import { startGitService } from '../../src/git/service.ts'
import { workInWindow } from '../window.ts'

/** Our side of B1: `contestant.ts ROOT COMMITS ANSWER`. Each commit is looked at when the one before it is answered, as pushes are. */
const [root = '', commitsFile = '', answerFile = ''] = process.argv.slice(2)
const commits = readFileSync(commitsFile, 'utf8').trim().split('\n')
const git = await startGitService({ root })
const repository = git.repository('many')
const snapshots = createSnapshotCache(async () => 'builtin')
const snapshotOf = async (commit: string) => snapshots.of('many', repository, (await repository.commit(commit)).tree)

let before = await snapshotOf(commits[0]!)
if (before.problems.length > 0) throw new Error(JSON.stringify(before.problems))
const answer: string[] = []
await workInWindow(async () => {
  for (const [number, commit] of commits.entries()) {
    if (number === 0) continue
    const after = await snapshotOf(commit)
    for (const { key } of affectedStacks(before, after))
      answer.push(`${number} ${after.stacks.get(key)!.definition.path}`)
    before = after
  }
  writeFileSync(answerFile, `${answer.join('\n')}\n`)
})
await git.close()
