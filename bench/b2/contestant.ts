import { readFileSync } from 'node:fs'
import { startGitService } from '../../src/git/service.ts'
import { workInWindow } from '../window.ts'

/** Our side of B2: `contestant.ts ROOT PAIRS TARGET`. PAIRS holds lines `COMMIT PATH`; the workspace of line n becomes TARGET/n. */
const [root = '', pairsFile = '', target = ''] = process.argv.slice(2)
/** Runs that are prepared at the same time: as many as a busy runner has slots. */
const AT_ONCE = 8

const pairs = readFileSync(pairsFile, 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split(' ') as [string, string])
const git = await startGitService({ root })
const repository = git.repository('many')
await repository.refs()

/** The workspaces of these lines, in TO/0, TO/1 … */
async function materialise(lines: readonly [string, string][], to: string): Promise<void> {
  let next = 0
  const prepare = async (): Promise<void> => {
    for (let at = next++; at < lines.length; at = next++) {
      const [commit, path] = lines[at]!
      await repository.materialise(commit, [path], `${to}/${at}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, prepare))
}

await workInWindow(() => materialise(pairs, target))
await git.close()
