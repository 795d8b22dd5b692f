import { DAY_MS, type Retention, type RetentionKind } from '../../domain/retention.ts'
import { nowOf } from '../database/context.ts'
import type { DataKeys } from '../database/keys.ts'
import type { Store } from '../store.ts'
import { archiveAudit } from './archive-audit.ts'
import { pruneRuns } from './prune-runs.ts'
import { pruneStates } from './prune-states.ts'

/** How many runs went or lost a part, how many versions of states went, and how many audit events left for an archive. */
export type Pruned = { [kind in RetentionKind]: number }

export interface PruneOptions {
  /** Who asks for it. */
  actor: string
  /** Only counts. */
  dryRun?: boolean
  /** Audit events leave only when there are this many of them: otherwise a file a day would come of it. */
  auditAtLeast?: number
  signal?: AbortSignal
}

/** The last call for each store: two at once would count and delete the same. */
const running = new WeakMap<Store, Promise<unknown>>()

/** Removes what is older than it is to be kept or more than that, one call after the other. */
export function prune(store: Store, keys: DataKeys, retention: Retention, options: PruneOptions): Promise<Pruned> {
  const before = running.get(store) ?? Promise.resolve()
  const mine = before.then(() => all(store, keys, retention, options))
  running.set(
    store,
    mine.catch(() => undefined),
  )
  return mine
}

async function all(store: Store, keys: DataKeys, retention: Retention, options: PruneOptions): Promise<Pruned> {
  const { auditAtLeast: atLeast, ...rest } = options
  const runs = await pruneRuns(store, retention, rest)
  const states = await pruneStates(store, retention.states, rest)
  const { days, count } = retention.audit
  const before = days === null ? undefined : nowOf(store.db) - days * DAY_MS
  const audit = await archiveAudit(store, keys, { ...rest, atLeast, before, newest: count ?? undefined })
  return { ...runs, states, audit }
}
