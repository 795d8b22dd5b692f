import { useQuery } from '@tanstack/react-query'
import type { Schemas } from '../../api/client.ts'
import { environmentsQuery } from '../../api/queries.ts'
import { t } from '../../strings/merge-requests.ts'
import { duration, Time, useNow } from '../../ui/time.tsx'

/**
 * When a plan was made. What is there is looked at every so often: a plan that is older than that is stale, as long as somebody
 * may still approve it.
 */
export function PlanAge({ repository, run, open }: { repository: string; run: Schemas['Run']; open: boolean }) {
  const now = useNow()
  const { data: environments = [] } = useQuery(environmentsQuery(repository))
  if (run.finishedAt === null) return null
  const name = run.stack.slice(0, run.stack.indexOf('/'))
  const every = environments.find((environment) => environment.name === name)?.drift.intervalMs
  const stale = open && every !== undefined && now - run.finishedAt > every
  return (
    <p className="text-sm text-muted">
      {t.planned}
      <Time at={run.finishedAt} />
      {stale && <span className="ml-2 font-medium text-warn">{t.stalePlan(name, duration(every))}</span>}
    </p>
  )
}
