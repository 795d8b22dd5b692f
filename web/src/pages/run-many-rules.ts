import type { Schemas } from '../api/client.ts'
import { t } from '../strings/runs.ts'

export type Run = Schemas['RunSummary']

/** Only the newest of the same work: an older one would put back what came after it. */
export function whyNotRetry(run: Run, runs: readonly Run[]): string | null {
  if (runs.some(({ retryOf }) => retryOf === run.id)) return t.itWasTriedAgainAlready
  const newer = runs.some(
    (each) => each.stackId === run.stackId && each.kind === run.kind && each.createdAt > run.createdAt,
  )
  return newer ? t.aNewerOneOfThis : null
}

/** What destroys something is looked at on its own page. */
export function whyNotApprove({ planDigest, summary }: Run): string | null {
  if (planDigest === null) return t.itHasNoPlanYet
  return summary && summary.delete + summary.replace > 0 ? t.itDestroysSomethingLookAt : null
}
