import type { StackKey } from '../../domain/stacks/stack.ts'
import type { Queries, Tx } from '../../store/database/context.ts'
import { dropRunDependency, getRun, listRuns, runDependencies, type RunSummary } from '../../store/runs/runs.ts'
import { requireStack } from '../../store/stacks/stacks.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { refreshStack } from '../stacks/status.ts'
import { unblock } from './dependencies.ts'
import type { Step } from './step.ts'

/**
 * Runs that wait for a stack which theirs needs no longer, or which has left Git, wait for it no longer: nobody might ever
 * deploy it again.
 */
export async function releaseFromOldNeeds(tx: Tx, { repositoryId, after }: Step): Promise<void> {
  let cursor: string | undefined
  do {
    const filter = { repositoryId, kinds: ['deploy'], states: ['queued', 'blocked'] } as const
    const page = await listRuns(tx, filter, { limit: 500, ...(cursor !== undefined && { cursor }) })
    for (const run of page.items) await releaseRun(tx, run, after)
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
}

/** Whether a stack needs another one no longer, or one that was needed has left Git. */
export function losesNeeds({ before, after }: Step): boolean {
  for (const [key, { definition }] of before.stacks) {
    const now = after.stacks.get(key)?.definition
    if (definition !== now && definition.needs.some((need) => now?.needs.includes(need) !== true)) return true
    if (definition.needs.some((need) => !after.stacks.has(need))) return true
  }
  return false
}

async function releaseRun(tx: Tx, run: RunSummary, after: Snapshot): Promise<void> {
  const { dependsOn } = await runDependencies(tx, run.id)
  if (dependsOn.length === 0) return
  const needed = neededBy(after, await keyOfStack(tx, run.stackId))
  let released = false
  for (const id of dependsOn) {
    const upstream = await getRun(tx, id)
    if (!upstream || upstream.state === 'succeeded' || needed.has(await keyOfStack(tx, upstream.stackId))) continue
    await dropRunDependency(tx, run.id, id)
    released = true
  }
  if (!released) return
  if ((await getRun(tx, run.id))?.state === 'blocked') await unblock(tx, run)
  await refreshStack(tx, run.stackId)
}

async function keyOfStack(tx: Queries, stackId: string): Promise<StackKey> {
  const { environment, name } = await requireStack(tx, stackId)
  return `${environment}/${name}`
}

/** What a stack needs, and what that needs in its turn. */
function neededBy({ stacks }: Snapshot, key: StackKey): Set<StackKey> {
  const needed = new Set<StackKey>()
  const open = [key]
  for (let next = open.pop(); next !== undefined; next = open.pop())
    for (const need of stacks.get(next)?.definition.needs ?? [])
      if (!needed.has(need)) {
        needed.add(need)
        open.push(need)
      }
  return needed
}
