import { systemClock } from '../../lib/clock.ts'
import type { Store } from '../../store/open.ts'
import { begunStep } from '../revisions/cursor.ts'
import { startOn } from './harness.ts'

/** An engine that is killed right after the first transaction of its that goes on with a step and leaves it in the middle. */
const [directory = '', repositoryId = ''] = process.argv.slice(2)

/** Stacks that the step has seen to so far. */
async function doneOf({ db }: Store, commitOid: string): Promise<number> {
  const stacks = await db.selectFrom('stacks').select(['desiredCommit', 'removedAt']).execute()
  return stacks.filter((stack) => stack.desiredCommit === commitOid || stack.removedAt !== null).length
}

await startOn(directory, systemClock, {}, (store) => {
  let before: number | undefined
  return {
    ...store,
    async transaction(work) {
      const begun = await begunStep(store.db, repositoryId)
      before ??= begun ? await doneOf(store, begun.commitOid) : 0
      const answer = await store.transaction(work)
      const now = await begunStep(store.db, repositoryId)
      if (now && (await doneOf(store, now.commitOid)) > before) process.kill(process.pid, 'SIGKILL')
      return answer
    },
  }
})
