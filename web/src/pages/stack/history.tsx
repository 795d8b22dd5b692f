import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { Schemas } from '../../api/client.ts'
import { deploymentsQuery, runsQuery } from '../../api/queries.ts'
import { t } from '../../strings/stack.ts'
import { KIND, runLook } from '../../text.ts'
import { Empty, Panel } from '../../ui/basics.tsx'
import { DeploymentCells } from '../../ui/deployment-cells.tsx'
import { cell, Pages, Table } from '../../ui/more.tsx'
import { Mark, State } from '../../ui/status.tsx'
import { Time } from '../../ui/time.tsx'
import { RollBack } from './roll-back.tsx'

/** Deployments: what changed, who, which merge request; and the way back from each. */
export function History({ repository, stack }: { repository: string; stack: Schemas['StackDetail'] }) {
  const key = `${stack.environment}/${stack.name}`
  const query = useInfiniteQuery(deploymentsQuery(repository, { stack: key }))
  const runs = useInfiniteQuery(runsQuery(repository, { stackId: stack.id }))
  const going =
    runs.data?.pages[0]?.items.filter(({ finishedAt, kind }) => finishedAt === null && kind !== 'preview') ?? []
  return (
    <Panel
      title={t.history}
      flush
      aside={
        <Link
          to="/r/$repository/runs"
          params={{ repository }}
          search={{ stackId: stack.id }}
          className="text-accent hover:underline"
        >
          {t.allItsRuns}
        </Link>
      }
    >
      {going.map((run) => (
        <p key={run.id} className="flex items-center gap-2 border-b border-line bg-busy-soft px-3 py-1.5">
          <Mark look={runLook(run.state)} label />
          <Link
            to="/r/$repository/runs/$run"
            params={{ repository, run: run.id }}
            className="font-medium hover:underline"
          >
            {t.underWay(KIND[run.kind])}
          </Link>
          <span className="text-muted">{run.message ?? runLook(run.state).label}</span>
        </p>
      ))}
      <Pages query={query} empty={<Empty title={t.notDeployedYet}>{t.theMergeOfAMerge}</Empty>}>
        {(items) => (
          <Table label={t.deployments} heads={[t.when, t.what, t.changes, t.by2, t.mergeRequest, '']}>
            {items.map((deployment, at) => (
              <tr key={deployment.id} className="hover:bg-hover">
                <td className={`${cell} text-muted`}>
                  <Time at={deployment.finishedAt} />
                </td>
                <td className={cell}>
                  <Link
                    to="/r/$repository/runs/$run"
                    params={{ repository, run: deployment.run }}
                    data-row=""
                    className="hover:underline"
                  >
                    <span className="inline-flex items-center gap-1.5">
                      <State look={runLook(deployment.state)} /> {KIND[deployment.kind]}{' '}
                      <code className="text-muted">{deployment.commit.slice(0, 8)}</code>
                    </span>
                  </Link>
                </td>
                <DeploymentCells repository={repository} deployment={deployment} />
                <td className={`${cell} text-right`}>
                  {at > 0 && at < 10 && deployment.kind === 'deploy' && deployment.previousCommit !== null && (
                    <RollBack repository={repository} stack={deployment.stack} deployment={deployment} exact />
                  )}
                </td>
              </tr>
            ))}
          </Table>
        )}
      </Pages>
    </Panel>
  )
}
