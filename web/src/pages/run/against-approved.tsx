import { useInfiniteQuery } from '@tanstack/react-query'
import type { Schemas } from '../../api/client.ts'
import { runsQuery } from '../../api/queries.ts'
import { t } from '../../strings/runs.ts'
import { Panel } from '../../ui/basics.tsx'
import { Compared } from '../mr/last-push.tsx'

/** Where a run's plan is another one than was approved: both, change by change. */
export function AgainstApproved({ repository, run }: { repository: string; run: Schemas['Run'] }) {
  const differs = run.plan !== null && run.approvedDigest !== null && run.approvedDigest !== run.planDigest
  const query = useInfiniteQuery({
    ...runsQuery(repository, { mr: run.mr ?? 0, kind: 'preview' }),
    enabled: differs && run.mr !== null,
  })
  if (!differs) return null
  const approved = query.data?.pages
    .flatMap(({ items }) => items)
    .find(({ stackId, planDigest }) => stackId === run.stackId && planDigest === run.approvedDigest)
  if (!approved) return null
  return (
    <Panel title={t.comparedWithTheApprovedPlan}>
      <Compared before={approved.id} after={run.plan!} than={t.theApprovedPlan} />
    </Panel>
  )
}
