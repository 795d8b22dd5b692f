import { deployWindow } from '../../domain/windows/windows.ts'
import { activeFreezes } from '../../store/stacks/freezes.ts'
import { explainWait, runsWhoseTimeHasCome } from '../../store/runs/search.ts'
import { requireStack } from '../../store/stacks/stacks.ts'
import type { EngineParts } from '../parts.ts'
import { environmentRules } from './environment-rules.ts'
import { refreshStack } from './status.ts'

/** Reasons of queued runs that a window or a freeze holds back. */
export const HELD_REASONS = ['frozen', 'window_closed'] as const

/** How long a run that a window or a freeze holds back waits before it is looked at again. */
const HELD_AT_MOST_MS = 60 * 60_000

/** What holds changes of an environment back, as a queued run says it. */
export interface Hold {
  reason: (typeof HELD_REASONS)[number]
  message: string
  notBefore: number
}

/** Null where changes may be deployed now. */
export async function holdOf(parts: EngineParts, repositoryId: string, environment: string): Promise<Hold | null> {
  const rules = await environmentRules(parts, repositoryId, environment)
  const at = parts.store.clock.now()
  const freezes = await activeFreezes(parts.store.db, { repositoryId, environment })
  const window = deployWindow({ windows: rules?.windows ?? [], freezes, at })
  if (window.open) return null
  return {
    reason: freezes.length > 0 ? 'frozen' : 'window_closed',
    message: window.reason ?? 'outside the deployment window',
    // A lifted freeze and a change of the windows let it go at once; the limit is only a net below that.
    notBefore: Math.min(window.nextChangeAt ?? Number.POSITIVE_INFINITY, at + HELD_AT_MOST_MS),
  }
}

/** Runs that one round looks at; what is left is due in the next one, and a worker may have it meanwhile. */
const AT_ONCE = 200

/**
 * Runs whose time has come say no longer what they waited for: it may be long until a worker takes them. What is held back
 * still, or by something else by now, says that.
 */
export async function reviewHeldRuns(parts: EngineParts): Promise<void> {
  const { store } = parts
  const due = { reasons: [...HELD_REASONS, 'backoff'], now: store.clock.now() }
  const holds = new Map<string, Hold | null>()
  for (const { id, stackId, repositoryId } of await runsWhoseTimeHasCome(store.db, { ...due, limit: AT_ONCE })) {
    const { environment } = await requireStack(store.db, stackId)
    const key = `${repositoryId}:${environment}`
    if (!holds.has(key)) holds.set(key, await holdOf(parts, repositoryId, environment))
    const hold = holds.get(key) ?? null
    await store.transaction(async (tx) => {
      if (await explainWait(tx, id, hold ?? { reason: null, message: null, notBefore: null }, due))
        await refreshStack(tx, stackId)
    })
  }
}
