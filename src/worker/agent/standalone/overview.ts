import { DatabaseSync } from 'node:sqlite'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import { type BranchRecord, readLedger, type StackRecord, type StackState } from './ledger.ts'

/** An agent's state for people and machines, whether it runs or not. */
export interface AgentStatus {
  branch: BranchRecord
  stacks: StackStatus[]
}

export interface StackStatus extends Pick<StackRecord, 'state' | 'why' | 'since' | 'counts'> {
  stack: string
  /** The commit that it stands at, and since when. */
  commit: string | null
  deployedAt: number | null
  /** What is done at it just now. */
  doing: 'deploy' | 'heal' | null
}

export function statusOf(branch: BranchRecord, stacks: ReadonlyMap<string, StackRecord>): AgentStatus {
  return {
    branch,
    stacks: [...stacks]
      .map(([stack, { state, why, since, counts, deployed, begun }]) => ({
        stack,
        state,
        why,
        since,
        counts,
        commit: deployed?.commit ?? null,
        deployedAt: deployed?.at ?? null,
        doing: begun?.kind ?? null,
      }))
      .toSorted((a, b) => (a.stack < b.stack ? -1 : 1)),
  }
}

/** How many stacks there are in each state. */
export function overviewOf(stacks: Iterable<{ state: StackState }>): { [state in StackState]: number } {
  const counts = { pending: 0, in_sync: 0, drifted: 0, waiting: 0, held: 0, failed: 0, left: 0 }
  for (const { state } of stacks) counts[state]++
  return counts
}

/** Reads it from an agent's data directory. NOT_FOUND where no agent without a server ever was. */
export function readStatus(data: string): AgentStatus {
  const file = join(data, 'held.sqlite')
  const missing = (why: string): TrueupError =>
    new TrueupError('NOT_FOUND', {
      doing: `reading what the agent of ${data} does`,
      why,
      next: 'Name its data directory or its configuration; an agent of a server is shown by `trueup worker show`.',
    })
  if (!existsSync(file)) throw missing('there is no held.sqlite')
  const database = new DatabaseSync(file, { timeout: 5_000 })
  try {
    const tables = database.prepare("SELECT count(*) AS found FROM sqlite_master WHERE name = 'standing'").get()
    if ((tables as { found: number }).found === 0) throw missing('it is no agent without a server')
    const { branch, stacks } = readLedger(database)
    return statusOf(branch, stacks)
  } finally {
    database.close()
  }
}
