import { CHANGING_KINDS, PENDING_STATES } from '../../domain/runs/run.ts'
import type { Queries, Tx } from '../../store/database/context.ts'
import { nowOf } from '../../store/open.ts'
import { makeHeard } from '../../store/runs/repeats.ts'
import { createRun, listRuns, type Run, type RunSummary } from '../../store/runs/runs.ts'
import { patchStack, requireStack, type Stack, stacksDueForDrift } from '../../store/stacks/stacks.ts'
import { stackCapabilities } from '../driver-capabilities.ts'
import { type EngineParts, SYSTEM } from '../parts.ts'
import { type RunSpec, specToJson } from '../run-spec.ts'
import { workersFor } from '../workers-for.ts'

/** Stacks looked at in one round of the clock. */
const PER_ROUND = 50
/** How soon it is tried again where a check is under way. */
const AFTER_CHECK_MS = 1_000
/** Checks spread by this part of their interval, so that stacks deployed together do not stay together. */
const JITTER = 0.1

/** Orders the drift checks that are due. A stack that is being changed is skipped until its next turn. */
export async function scheduleDrift(parts: EngineParts): Promise<void> {
  const due = await stacksDueForDrift(parts.store.db, parts.store.clock.now(), PER_ROUND)
  for (const stack of due)
    await parts.store.transaction((tx) => checkDrift(tx, stack.id, { actor: SYSTEM, quiet: true }))
}

/** A live event at a stack: its check is due at `at`. */
export async function checkSoon(tx: Queries, stackId: string, at: number): Promise<void> {
  const stack = await requireStack(tx, stackId)
  if (stack.deployedCommit !== null && stack.desiredCommit !== null) await patchStack(tx, stackId, { nextDriftAt: at })
}

/** `underWay`: the check that is under way already, where that is why. */
export type DriftCheck = { ordered: true; run: Run } | { ordered: false; why: string; underWay?: string }

/**
 * Orders one drift check against the deployed revision and plans the next. Not ordered where nothing is deployed, the
 * stack is being changed (a pending change is not drift), it is broken, or a check is under way already: skipped, never
 * queued up. `codifyFor`: who wants its finding as a merge request. `quiet`: nobody has asked for it.
 */
export async function checkDrift(
  tx: Tx,
  stackId: string,
  by: { actor: string; codifyFor?: string; quiet?: boolean },
): Promise<DriftCheck> {
  const stack = await requireStack(tx, stackId)
  const refused = (why: string): DriftCheck => ({ ordered: false, why })
  const spec = stack.deployedConfig as unknown as RunSpec | null
  if (!spec || stack.deployedCommit === null || stack.desiredCommit === null) {
    await patchStack(tx, stackId, { nextDriftAt: null })
    return refused(stack.deployedCommit === null ? 'nothing is deployed' : 'the stack is no longer in Git')
  }
  await patchStack(tx, stackId, { nextDriftAt: nextCheck(stack, spec, nowOf(tx)) })
  if (stack.brokenByRunId !== null) return refused(`run ${stack.brokenByRunId} left it half applied`)
  const kinds = ['drift', ...CHANGING_KINDS] as const
  const pending = await listRuns(tx, { stackId, kinds, states: PENDING_STATES }, { limit: 50 })
  const busy = pending.items.find((run) => !mayWaitForLong(run, nowOf(tx)))
  if (busy) {
    // A check that runs may have looked before the event that asks for this one: look again after it, not an interval later.
    if (busy.kind === 'drift' && busy.state !== 'queued')
      await patchStack(tx, stackId, { nextDriftAt: nowOf(tx) + AFTER_CHECK_MS })
    // Whoever asks is told of this run, and must find it when it has ended.
    if (busy.kind === 'drift' && !by.quiet) await makeHeard(tx, busy.id)
    const why = `${busy.kind} run ${busy.id} is ${busy.state}`
    return busy.kind === 'drift' ? { ordered: false, why, underWay: busy.id } : refused(why)
  }
  const definition = currentDefinition(stack, spec)
  const codify = by.codifyFor !== undefined || definition.drift.mode === 'propose'
  const run = await createRun(tx, {
    stackId,
    repositoryId: stack.repositoryId,
    kind: 'drift',
    commitOid: stack.deployedCommit,
    desiredDigest: stack.deployedDigest ?? spec.sourceDigest,
    spec: specToJson({
      ...spec,
      codify: codify && stackCapabilities(spec.definition).codify,
      ...(by.codifyFor !== undefined && { codifyFor: by.codifyFor }),
    }),
    ...workersFor({ ...spec.definition, pool: definition.pool }),
    actor: by.actor,
    quiet: by.quiet ?? false,
  })
  return { ordered: true, run }
}

/** A run that waits for a person, a window or another stack may wait for days; reality must still be looked at meanwhile. */
const mayWaitForLong = ({ kind, state, ready, notBefore }: RunSummary, now: number): boolean =>
  state === 'awaiting_approval' ||
  state === 'blocked' ||
  (kind !== 'drift' && state === 'queued' && (!ready || (notBefore ?? now) > now))

/** How drift is treated is a rule, not desired state: the newest configuration speaks, also for an older deployment. */
export function currentDefinition(stack: Stack, deployed: RunSpec): RunSpec['definition'] {
  return (stack.config as unknown as RunSpec | null)?.definition ?? deployed.definition
}

function nextCheck(stack: Stack, spec: RunSpec, now: number): number {
  const { intervalMs } = currentDefinition(stack, spec).drift
  return now + Math.round(intervalMs * (1 + JITTER * (2 * Math.random() - 1)))
}
