import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Schemas } from '../../api/client.ts'
import { runQuery, runsQuery } from '../../api/queries.ts'
import { t } from '../../strings/merge-requests.ts'
import { ErrorNote, Waiting } from '../../ui/load.tsx'
import { PlanComparison } from '../../ui/plan-comparison.tsx'

/** What the last push changed in the plan of a stack: against the newest plan of an earlier commit. */
export function SinceLastPush({ repository, mr, run }: { repository: string; mr: number; run: Schemas['Run'] }) {
  const [open, setOpen] = useState(false)
  const previews = useInfiniteQuery(runsQuery(repository, { mr, kind: 'preview' }))
  const before = previews.data?.pages
    .flatMap(({ items }) => items)
    .find(
      (each) =>
        each.stackId === run.stackId &&
        each.commit !== run.commit &&
        each.createdAt < run.createdAt &&
        each.planDigest !== null,
    )
  if (!before || !run.plan) return null
  if (before.planDigest === run.planDigest) return <p className="text-sm text-muted">{t.theLastPushDidNot}</p>
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="font-medium">{t.whatTheLastPushChanged}</summary>
      {open && (
        <div className="pt-2">
          <Compared before={before.id} after={run.plan} than={t.thePlanBeforeThePush} />
        </div>
      )}
    </details>
  )
}

/** A plan against the one of another run. */
export function Compared({ before, after, than }: { before: string; after: Schemas['Plan']; than: string }) {
  const query = useQuery(runQuery(before))
  if (query.error) return <ErrorNote error={query.error} again={() => void query.refetch()} />
  if (!query.data) return <Waiting lines={2} />
  if (!query.data.plan) return <p className="text-muted">{t.whatHeldIsNotKept(than)}</p>
  return <PlanComparison before={query.data.plan} after={after} than={than} />
}
