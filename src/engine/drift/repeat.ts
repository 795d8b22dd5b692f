import type { Plan } from '../../domain/plans/plan.ts'
import { CHANGING_KINDS } from '../../domain/runs/run.ts'
import { canonicalJson, type Json } from '../../lib/json.ts'
import type { Tx } from '../../store/database/context.ts'
import { countRepeat, isQuietAndHeld, tellRepeats } from '../../store/runs/repeats.ts'
import { getRun, listRuns, type Run, type RunSummary } from '../../store/runs/runs.ts'
import { standingDrift } from '../../store/stacks/drift.ts'
import { recordQuietLook } from './record.ts'

/**
 * Ends a check that found what the one before it found: nothing. It is counted there instead of being one more run, so that
 * months of looking cost nothing but the time of looking. Whether it did; otherwise the check ends as any run does.
 *
 * Not where anything else is known of the stack since (a change, a failed or lost run), where a record of drift stands, where
 * somebody asked for the check, or where this look saw other parts of the target than the one before.
 */
export async function endedAsRepeat(tx: Tx, run: Run, plan: Plan): Promise<boolean> {
  const [earlier] = await lastLooks(tx, run)
  if (!earlier) return false
  const nothing = plan.changes.length === 0 && (await isQuietAndHeld(tx, run))
  if (nothing && saysNothing(earlier, run)) {
    const before = (await getRun(tx, earlier.id))?.plan ?? null
    const same = before !== null && wordsOf(before) === wordsOf(plan)
    if (same && (await standingDrift(tx, run.stackId)).length === 0) {
      await recordQuietLook(tx, run, plan)
      await countRepeat(tx, run, earlier)
      return true
    }
  }
  if (earlier.kind === 'drift') await tellRepeats(tx, earlier)
  return false
}

/** The newest other run that says something of the stack. */
async function lastLooks(tx: Tx, run: Run): Promise<RunSummary[]> {
  const kinds = ['drift', ...CHANGING_KINDS] as const
  const { items } = await listRuns(tx, { stackId: run.stackId, kinds }, { limit: 2 })
  return items.filter(({ id }) => id !== run.id)
}

const saysNothing = (earlier: RunSummary, run: Run): boolean =>
  earlier.kind === 'drift' &&
  earlier.quiet &&
  earlier.state === 'succeeded' &&
  earlier.reason === null &&
  earlier.commitOid === run.commitOid &&
  earlier.desiredDigest === run.desiredDigest

/** All of a plan without changes that people could read. */
const wordsOf = ({ changes, findings, coverage }: Plan): string =>
  canonicalJson({ changes, findings, coverage } as unknown as Json)
