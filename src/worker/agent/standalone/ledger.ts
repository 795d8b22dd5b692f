import type { DatabaseSync } from 'node:sqlite'
import type { Output } from '../../../domain/plans/plan.ts'
import type { ErrorCode } from '../../../lib/errors/table.ts'
import { type HealMemory, NO_HEALS } from '../heal-alone.ts'

/** What a stack of a stand-alone agent is in, for people. */
export type StackState =
  /** Not deployed as the commit says, and on its way there. */
  | 'pending'
  | 'in_sync'
  /** Drift was found and stays: the mode, a window, the brake, a policy, a fight. */
  | 'drifted'
  /** Waits for a window, or for another stack. */
  | 'waiting'
  /** A rule says no to what the commit brings: it takes a newer commit. */
  | 'held'
  | 'failed'
  /** The signed configuration has it no longer; what it made stays. */
  | 'left'

/** A run that has begun and not ended. */
export interface Begun {
  runId: string
  kind: 'deploy' | 'heal'
  commit: string
  digest: string
  /** The tool may have changed something. */
  applying: boolean
}

/** Everything a stand-alone agent remembers of a stack. Times in milliseconds since the epoch. */
export interface StackRecord {
  state: StackState
  why: string
  since: number
  deployed?: { commit: string; digest: string; at: number }
  /** A deployment of this digest did not get to its good end, so nothing is healed before one has. */
  failed?: { digest: string; times: number; retryAt: number; lost: boolean }
  outputs: { [name: string]: Output }
  heals: HealMemory
  /** When to look for drift next. */
  lookAt: number
  begun?: Begun
  counts: { deployed: number; healed: number; failed: number }
}

/** What is known of the branch. */
export interface BranchRecord {
  /** The newest commit that was taken: signed, of this branch, after all before it. */
  taken?: { commit: string; signer: string; at: number }
  refused?: { commit: string; code: ErrorCode; why: string; at: number }
  /** The last time the remote answered, and what stood in the way since. */
  heardAt?: number
  trouble?: { code: ErrorCode; why: string; since: number }
}

/** The memory of a stand-alone agent, on its disk after every change. */
export interface Ledger {
  readonly branch: BranchRecord
  setBranch(branch: BranchRecord): void
  stack(name: string): StackRecord
  stacks(): ReadonlyMap<string, StackRecord>
  set(name: string, change: Partial<StackRecord>): void
  /** A value that is made once. */
  once(name: string, make: () => string): string
  /** Called after every change. */
  onChange(listener: () => void): void
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS standing (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS standing_stacks (stack TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
`
const BRANCH = 'branch'

const newRecord = (): StackRecord => ({
  state: 'pending',
  why: '',
  since: Date.now(),
  outputs: {},
  heals: NO_HEALS,
  lookAt: 0,
  counts: { deployed: 0, healed: 0, failed: 0 },
})

export function openLedger(database: DatabaseSync): Ledger {
  database.exec(SCHEMA)
  const putValue = database.prepare('INSERT OR REPLACE INTO standing (name, value) VALUES (?, ?)')
  const putStack = database.prepare('INSERT OR REPLACE INTO standing_stacks (stack, record) VALUES (?, ?)')
  const read = readLedger(database)
  let { branch } = read
  const { stacks, values } = read
  const listeners: (() => void)[] = []
  const changed = (): void => {
    for (const listener of listeners) listener()
  }
  const ledger: Ledger = {
    get branch() {
      return branch
    },
    setBranch(next) {
      branch = next
      putValue.run(BRANCH, JSON.stringify(next))
      changed()
    },
    stack: (name) => stacks.get(name) ?? newRecord(),
    stacks: () => stacks,
    set(name, change) {
      const before = ledger.stack(name)
      const isNew = change.state !== undefined && change.state !== before.state
      const next = { ...before, ...change, ...(isNew && { since: Date.now() }) }
      if (stacks.has(name) && JSON.stringify(next) === JSON.stringify(before)) return
      putStack.run(name, JSON.stringify(next))
      stacks.set(name, next)
      changed()
    },
    once(name, make) {
      const known = values.get(name)
      if (known !== undefined) return known
      const value = make()
      putValue.run(name, value)
      values.set(name, value)
      return value
    },
    onChange: (listener) => void listeners.push(listener),
  }
  return ledger
}

interface Read {
  branch: BranchRecord
  stacks: Map<string, StackRecord>
  values: Map<string, string>
}

/** What stands in a database; also of an agent that runs, or ended. */
export function readLedger(database: DatabaseSync): Read {
  const rows = database.prepare('SELECT name, value FROM standing').all() as { name: string; value: string }[]
  const values = new Map(rows.map(({ name, value }) => [name, value]))
  const records = database.prepare('SELECT stack, record FROM standing_stacks ORDER BY stack').all()
  return {
    branch: JSON.parse(values.get(BRANCH) ?? '{}') as BranchRecord,
    stacks: new Map(
      (records as { stack: string; record: string }[]).map(({ stack, record }) => [
        stack,
        JSON.parse(record) as StackRecord,
      ]),
    ),
    values,
  }
}
