import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { deliveryQuery, deploymentsQuery } from '../api/queries.ts'
import { t } from '../strings/deployments.ts'
import { KIND, runLook } from '../text.ts'
import { Empty, PageHead, Panel } from '../ui/basics.tsx'
import { DeploymentCells } from '../ui/deployment-cells.tsx'
import { Loaded, Waiting } from '../ui/load.tsx'
import { cell, Pages, Table } from '../ui/more.tsx'
import { State } from '../ui/status.tsx'
import { Time } from '../ui/time.tsx'

const Charts = lazy(() => import('./delivery-charts.tsx').then(({ DeliveryCharts }) => ({ default: DeliveryCharts })))
const route = getRouteApi('/shell/r/$repository/deployments')
const SPANS = ['7', '30', '90'] as const

export function DeploymentsPage() {
  const { repository } = route.useParams()
  const { days = '30', stack } = route.useSearch()
  const navigate = route.useNavigate()
  const delivery = useQuery(deliveryQuery(repository, Number(days)))
  const query = useInfiniteQuery(deploymentsQuery(repository, { stack }))
  return (
    <>
      <PageHead title={t.deployments} lead={t.whatWasEnactedAndHow}>
        <select
          aria-label={t.span}
          value={days}
          onChange={(event) =>
            void navigate({
              search: (before) => ({ ...before, days: event.target.value as (typeof SPANS)[number] }),
              replace: true,
            })
          }
        >
          {SPANS.map((span) => (
            <option key={span} value={span}>
              {t.spanDays(span)}
            </option>
          ))}
        </select>
      </PageHead>
      <div className="min-h-64 pb-3">
        <Loaded query={delivery} lines={8}>
          {(data) => (
            <Suspense fallback={<Waiting lines={8} />}>
              <Charts delivery={data} />
            </Suspense>
          )}
        </Loaded>
      </div>
      <Panel flush title={stack ? t.ofStack(stack) : undefined}>
        <Pages query={query} empty={<Empty title={t.nothingWasDeployedYet}>{t.theMergeOfAMerge}</Empty>}>
          {(items) => (
            <Table label={t.deployments} heads={[t.when, t.stack, t.what, t.changes, t.by, t.mergeRequest]}>
              {items.map((deployment) => (
                <tr key={deployment.id} className="hover:bg-hover">
                  <td className={`${cell} text-muted`}>
                    <Time at={deployment.finishedAt} />
                  </td>
                  <td className={cell}>
                    <Link
                      to="/r/$repository/stacks/$"
                      params={{ repository, _splat: deployment.stack }}
                      data-row=""
                      className="font-medium wrap-anywhere hover:underline"
                    >
                      {deployment.stack}
                    </Link>
                  </td>
                  <td className={cell}>
                    <Link
                      to="/r/$repository/runs/$run"
                      params={{ repository, run: deployment.run }}
                      className="inline-flex gap-1.5 hover:underline"
                    >
                      <State look={runLook(deployment.state)} /> {KIND[deployment.kind]}
                    </Link>
                  </td>
                  <DeploymentCells repository={repository} deployment={deployment} />
                </tr>
              ))}
            </Table>
          )}
        </Pages>
      </Panel>
    </>
  )
}
