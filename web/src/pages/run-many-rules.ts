import type { Schemas } from '../api/client.ts'

export type Run = Schemas['RunSummary']

/** Only the newest of the same work: an older one would put back what came after it. */
export function whyNotRetry(run: Run, runs: readonly Run[]): string | null {
  if (runs.some(({ retryOf }) => retryOf === run.id)) return 'it was tried again already'
  const newer = runs.some(
    (each) => each.stackId === run.stackId && each.kind === run.kind && each.createdAt > run.createdAt,
  )
  return newer ? 'a newer one of this stack failed too: that one is tried again' : null
}

/** What destroys something is looked at on its own page. */
export function whyNotApprove({ planDigest, summary }: Run): string | null {
  if (planDigest === null) return 'it has no plan yet'
  return summary && summary.delete + summary.replace > 0 ? 'it destroys something: look at it on its own page' : null
}
