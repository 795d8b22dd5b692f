import type { CommentCommand } from '../../domain/commands/parse.ts'
import type { Role } from '../../domain/roles.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import type { ForgeCommand } from '../../store/forges/commands.ts'
import type { Queries } from '../../store/database/context.ts'
import { getRun, listRuns } from '../../store/runs/runs.ts'
import { findStack, requireStack, type Stack } from '../../store/stacks/stacks.ts'
import { previewsOf } from '../merge-requests/previews.ts'
import type { EngineParts } from '../parts.ts'

/** A stack that a merge request changes; without a row where it has never been deployed. */
export interface MrStack {
  key: string
  environment: string
  name: string
  row: Stack | null
}

/** A command as it is obeyed. */
export interface Order {
  command: CommentCommand
  said: ForgeCommand
  mr: MergeRequest
  actorId: string
  /** Those that the command means, at least one where the merge request has any. */
  stacks: MrStack[]
  /** All that the merge request changes. */
  all: MrStack[]
}

/** One verb: who may, and what it does. What it gives back are lines of the answer, as Markdown. */
export interface Act {
  /** The least role, as for the same thing by the API. */
  needs(order: Pick<Order, 'mr' | 'said'>): Role
  run(parts: EngineParts, order: Order): Promise<string[]>
}

/** Stacks of its plans, and those that were deployed with it. */
export async function stacksOfMr(db: Queries, mr: MergeRequest): Promise<MrStack[]> {
  const found = new Map<string, MrStack>()
  for (const key of Object.keys(previewsOf(mr))) {
    const [environment, name] = [key.slice(0, key.indexOf('/')), key.slice(key.indexOf('/') + 1)]
    const row = (await findStack(db, { repositoryId: mr.repositoryId, environment, name })) ?? null
    found.set(key, { key, environment, name, row })
  }
  const { items } = await listRuns(db, { mrId: mr.id, kinds: ['deploy', 'destroy'] }, { limit: 500 })
  for (const stackId of new Set(items.map((run) => run.stackId))) {
    const row = await requireStack(db, stackId)
    const { environment, name } = row
    found.set(`${environment}/${name}`, { key: `${environment}/${name}`, environment, name, row })
  }
  return [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
}

/** Newest run of each of these stacks that belongs to the merge request. */
export async function newestRunsOf(db: Queries, mr: MergeRequest, stacks: readonly MrStack[]) {
  const { items } = await listRuns(db, { mrId: mr.id, kinds: ['deploy', 'destroy'] }, { limit: 500 })
  const newest = new Map(items.toReversed().map((run) => [run.stackId, run.id]))
  const found = await Promise.all(
    stacks.map(async (stack) => {
      const id = stack.row && newest.get(stack.row.id)
      const run = id ? await getRun(db, id) : undefined
      return run ? [{ stack, run }] : []
    }),
  )
  return found.flat()
}
